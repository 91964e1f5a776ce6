import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { expect, inject, it, onTestFinished, vi } from 'vitest'
import { PgBouncerUnavailable, startPgBouncer } from '../src/index.js'
import { requirePgBouncer, uniqueName, waitFor } from '../src/vitest.js'
import { isAlive } from './is-alive.js'

const open = (url: string): postgres.Sql => {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false, onnotice: () => {} })
  onTestFinished(() => sql.end({ timeout: 1 }))
  return sql
}
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ps-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

it('pools by transaction: one session serves two clients, and takes a LISTEN that hears nothing', async (context) => {
  const bouncer = await requirePgBouncer(context, { target: inject('postgresUrl') })
  const [one, two] = [open(bouncer.url), open(bouncer.url)]
  const session = async (sql: postgres.Sql): Promise<unknown> =>
    (await sql`select pg_backend_pid() as id`)[0]?.id
  expect(await session(one)).toBe(await session(two))

  const channel = uniqueName('c')
  const heard: string[] = []
  const direct = open(inject('postgresUrl'))
  await direct.listen(channel, (payload) => heard.push(`direct ${payload}`))
  await one.listen(channel, (payload) => heard.push(`pooled ${payload}`))
  // From elsewhere: the session that listens is told, and nobody is there to be handed it.
  await open(inject('postgresUrl')).notify(channel, 'hello')
  await waitFor(() => heard.length > 0)
  await session(two)
  expect(heard).toEqual(['direct hello'])
})

it('asks for the password of its target', async (context) => {
  const bouncer = await requirePgBouncer(context, { target: inject('postgresUrl') })
  const url = new URL(bouncer.url)
  url.password = 'wrong'
  await expect(open(url.href)`select 1`).rejects.toThrow(/authentication failed/)
})

it('starts again on the same port after kill -9, and leaves neither process nor folder behind', async (context) => {
  const temporary = newFolder()
  vi.stubEnv('TMPDIR', temporary)
  onTestFinished(() => void vi.unstubAllEnvs())
  const bouncer = await requirePgBouncer(context, { target: inject('postgresUrl'), poolMode: 'session' })
  const first = bouncer.processId
  bouncer.kill('SIGKILL')
  await bouncer.restart()
  expect(bouncer.processId).not.toBe(first)
  expect([...(await open(bouncer.url)`select 1 as one`)]).toEqual([{ one: 1 }])
  await bouncer.stop()
  expect([first, bouncer.processId].filter(isAlive)).toEqual([])
  expect(readdirSync(temporary)).toEqual([])
})

it('leaves nothing behind when it cannot start, and says why', async (context) => {
  await requirePgBouncer(context, { target: inject('postgresUrl') })
  const temporary = newFolder()
  vi.stubEnv('TMPDIR', temporary)
  onTestFinished(() => void vi.unstubAllEnvs())
  const settings = { pool_mode: 'no-such-mode' }
  await expect(startPgBouncer({ target: inject('postgresUrl'), settings })).rejects.toThrow(/no-such-mode/)
  expect(readdirSync(temporary)).toEqual([])
})

it('says what to do where no PgBouncer can be had', async () => {
  vi.stubEnv('PATH', newFolder())
  onTestFinished(() => void vi.unstubAllEnvs())
  const started = startPgBouncer({ target: inject('postgresUrl') })
  await expect(started).rejects.toThrow(PgBouncerUnavailable)
  await expect(started).rejects.toThrow(/install it/)
})
