import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { afterEach, expect, it, vi } from 'vitest'
import { descendants, startPostgres } from '../src/index.js'
import { spawnProgram, waitFor } from '../src/vitest.js'
import { isAlive } from './is-alive.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  vi.unstubAllEnvs()
})

// Open to all: as root the server runs as another user.
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ps-test-'))
  chmodSync(folder, 0o777)
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const ask = async (url: string, text: string, options: postgres.Options<{}> = {}): Promise<unknown[]> => {
  const sql = postgres(url, { max: 1, ...options })
  try {
    return [...(await sql.unsafe(text))]
  } finally {
    await sql.end({ timeout: 1 })
  }
}

it('takes settings, an encoding and any password, refuses a wrong one, and proves its name over TLS', async () => {
  const server = await startPostgres({
    settings: { max_connections: 20 },
    encoding: 'LATIN1',
    tls: true,
    password: "it's p@ss/wörd",
  })
  cleanups.push(() => server.stop())
  const settings = `select current_setting('max_connections') as connections, current_setting('server_encoding') as encoding`
  expect(await ask(server.url, settings)).toEqual([{ connections: '20', encoding: 'LATIN1' }])

  const wrong = new URL(server.url)
  wrong.password = 'wrong'
  await expect(ask(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })

  const encrypted = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'
  const ca = readFileSync(server.caFile ?? '')
  expect(await ask(server.url, encrypted, { ssl: { ca } })).toEqual([{ ssl: true }])
  await expect(ask(server.url, encrypted, { ssl: { rejectUnauthorized: true } })).rejects.toThrow(
    /self-signed/,
  )
})

it('is durable with a data directory only', async () => {
  const kept = await startPostgres({ dataDirectory: join(newFolder(), 'data') })
  cleanups.push(() => kept.stop())
  expect(await ask(kept.url, 'show fsync')).toEqual([{ fsync: 'on' }])
  const temporary = await startPostgres()
  cleanups.push(() => temporary.stop())
  expect(await ask(temporary.url, 'show fsync')).toEqual([{ fsync: 'off' }])
})

it('keeps committed rows over kill -9 of all its processes', async () => {
  const dataDirectory = join(newFolder(), 'data')
  const first = await startPostgres({ dataDirectory, password: 'kept' })
  cleanups.push(() => first.stop())
  await ask(first.url, 'create table kept as select 7 as answer')
  first.kill('SIGKILL')
  await waitFor(() => !isAlive(first.processId), { what: 'the server to be gone' })
  const second = await startPostgres({ dataDirectory, password: 'kept' })
  cleanups.push(() => second.stop())
  expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 7 }])
})

it('answers nothing while stopped, and goes on after', async () => {
  const server = await startPostgres()
  cleanups.push(() => server.stop())
  const sql = postgres(server.url, { max: 1 })
  cleanups.push(() => sql.end({ timeout: 1 }))
  await sql`select 1`
  server.kill('SIGSTOP')
  const areStopped = (): boolean => {
    const states = descendants(server.processId).map((id) => readFileSync(`/proc/${id}/stat`, 'utf8'))
    return states.length > 0 && states.every((state) => /\) T /.test(state))
  }
  // A signal is on its way for a moment, and what has been stopped stays so.
  await waitFor(areStopped, { what: 'every process to be stopped' })
  server.kill('SIGCONT')
  expect([...(await sql`select 2 as two`)]).toEqual([{ two: 2 }])
})

it('becomes a hot standby, stays one over a restart, and takes writes again once promoted', async () => {
  const server = await startPostgres()
  cleanups.push(() => server.stop())
  await ask(server.url, 'create table kept as select 7 as answer')
  await server.demote()
  expect(await ask(server.url, 'select answer from kept')).toEqual([{ answer: 7 }])
  await expect(ask(server.url, 'insert into kept values (8)')).rejects.toMatchObject({ code: '25006' })
  await server.restart()
  expect(await ask(server.url, 'select pg_is_in_recovery() as standby')).toEqual([{ standby: true }])
  const { processId } = server
  await server.promote()
  await ask(server.url, 'insert into kept values (8)')
  expect(server.processId).toBe(processId)
  await server.restart()
  expect(await ask(server.url, 'select count(*)::int as count from kept')).toEqual([{ count: 2 }])
})

it('never touches a data directory that holds something else', async () => {
  const dataDirectory = join(newFolder(), 'mine')
  mkdirSync(dataDirectory)
  writeFileSync(join(dataDirectory, 'thesis.txt'), 'years of work')
  await expect(startPostgres({ dataDirectory })).rejects.toThrow(/choose another dataDirectory/)
  expect(readFileSync(join(dataDirectory, 'thesis.txt'), 'utf8')).toBe('years of work')
})

it('leaves nothing behind when it cannot start, and says why', async () => {
  const folder = newFolder()
  vi.stubEnv('TMPDIR', folder)
  await expect(startPostgres({ settings: { no_such_setting: 1 } })).rejects.toThrow(/no_such_setting/)
  expect(readdirSync(folder)).toEqual([])
})

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const program = (name: string, code: string): string => {
  const file = join(packageFolder, `.example-${name}-${process.pid}.mjs`)
  cleanups.push(() => rmSync(file, { force: true }))
  writeFileSync(file, code)
  return file
}

// A stopped process never hears that its postmaster is gone.
it('leaves no process behind when its owner is killed while all of it is stopped', async () => {
  const code = `import { descendants, startPostgres } from '@ps/services'
    const server = await startPostgres()
    const ids = [server.processId, ...descendants(server.processId)]
    server.kill('SIGSTOP')
    console.log('ids', ids.join(' '), '.')
    setInterval(() => {}, 1000)`
  const owner = spawnProgram(program('stopped', code))
  cleanups.push(() => owner.stop('SIGKILL'))
  const [, text = ''] = await owner.waitForOutput(/ids ([\d ]+) \./)
  const ids = text.split(' ').map(Number)
  expect(ids.length).toBeGreaterThan(3)
  await owner.stop('SIGKILL')
  await waitFor(() => !ids.some(isAlive), { what: 'every stopped process to be gone' })
})

it('starts anew, and leaves nothing, after its owner was killed while the data was being made', async () => {
  const folder = newFolder()
  const data = join(folder, 'data')
  const code = `import { startPostgres } from '@ps/services'
    await startPostgres({ dataDirectory: ${JSON.stringify(data)} })`
  const owner = spawnProgram(program('unfinished', code), [], { environment: { TMPDIR: folder } })
  cleanups.push(() => owner.stop('SIGKILL'))
  const unfinished = (): string[] => readdirSync(folder).filter((name) => name.startsWith('data.unfinished'))
  await waitFor(() => unfinished().some((name) => readdirSync(join(folder, name)).length > 0), {
    what: 'initdb to write',
  })
  await owner.stop('SIGKILL')
  expect(existsSync(data)).toBe(false)
  await waitFor(() => readdirSync(folder).length === 0, { what: 'what was unfinished to be removed' })
  const server = await startPostgres({ dataDirectory: data })
  cleanups.push(() => server.stop())
  expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
})
