import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { descendants, freePort } from '../src/index.js'
import { type Program, requireRedis, spawnProgram, waitFor } from '../src/vitest.js'
import { isAlive } from './is-alive.js'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const line = `const line = (level, more) => {
    if (level >= 40 || process.env.LOG_LEVEL !== 'warn') console.log(JSON.stringify({ level, ...more }))
  }`
const waits = `setInterval(() => {}, 1000)`
const engine = `${line}
  line(30, { msg: 'backend postgres: said by the engine' })
  line(30, { msg: 'given ' + process.env.PUBSUB_BACKEND + ' ' + process.env.DATABASE_URL.slice(0, 11) })
  line(30, { msg: 'given redis at ' + process.env.REDIS_URL })
  ${waits}`
const listens = `${line}
  import { createServer } from 'node:http'
  line(30, { msg: 'backend postgres: said by the api' })
  line(30, { msg: 'noise' })
  line(40, { msg: 'a warning' })
  createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1', () =>
    line(30, { msg: 'listening', url: 'http://127.0.0.1:' + process.env.PORT }))`

/** A workspace of its own, with stand-ins for the apps, and the built program where it stands in the real one. */
function workspace(api: string): string {
  const root = mkdtempSync(join(tmpdir(), 'ps-test-'))
  // Open to all: as root PostgreSQL runs as another user.
  chmodSync(root, 0o755)
  cleanups.push(() => rmSync(root, { recursive: true, force: true }))
  cpSync(join(packageFolder, 'dist'), join(root, 'packages/services/dist'), { recursive: true })
  writeFileSync(join(root, 'packages/services/package.json'), '{"type":"module"}')
  symlinkSync(join(packageFolder, 'node_modules'), join(root, 'packages/services/node_modules'))
  for (const [name, code] of [
    ['api', api],
    ['engine', engine],
  ] as const) {
    mkdirSync(join(root, 'apps', name, 'dist'), { recursive: true })
    writeFileSync(join(root, 'apps', name, 'package.json'), '{"type":"module"}')
    writeFileSync(join(root, 'apps', name, 'dist/main.js'), code)
  }
  return root
}

function launch(root: string, port: number, environment: Record<string, string> = {}): Program {
  const program = spawnProgram(join(root, 'packages/services/dist/start.js'), [], {
    environment: { PORT: String(port), ...environment },
  })
  cleanups.push(() => program.stop('SIGKILL'))
  return program
}

const family = (program: Program): number[] => descendants(program.process.pid ?? 0)

it('says its address where the log is to hold warnings only', async () => {
  const port = await freePort()
  const program = launch(workspace(listens), port, { PUBSUB_BACKEND: 'postgres', LOG_LEVEL: 'warn' })
  await program.waitForOutput(new RegExp(`^@ps is running at http://127.0.0.1:${port}$`, 'm'), 30_000)
})

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'says its address, stays, and ends everything on %s',
  async (signal) => {
    const root = workspace(listens)
    const port = await freePort()
    const program = launch(root, port, { PUBSUB_BACKEND: 'postgres' })
    await program.waitForOutput(new RegExp(`^@ps is running at http://127.0.0.1:${port}$`, 'm'), 30_000)
    await program.waitForOutput(/^engine: backend postgres: said by the engine$/m)
    // It is still there to be asked.
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('ok')
    const ids = family(program)
    expect(ids.length).toBeGreaterThan(5)
    expect(await program.stop(signal)).toEqual({ code: 0, signal: null })
    await waitFor(() => !ids.some(isAlive), { timeout: 5_000, what: 'every process to be gone' })

    expect(program.stdout()).toContain('api: a warning')
    expect(program.stdout()).not.toContain('noise')
    expect(readFileSync(join(root, '.data/logs/api.log'), 'utf8')).toContain('noise')
    expect(readFileSync(join(root, '.data/logs/engine.log'), 'utf8')).toContain('given postgres postgres://')
    expect(statSync(join(root, '.data/postgres-password')).mode & 0o777).toBe(0o600)
  },
)

it('starts a Redis where it is chosen, which may be killed and is started again in its place on SIGUSR2', async (context) => {
  requireRedis(context)
  const root = workspace(listens)
  const program = launch(root, await freePort(), { PUBSUB_BACKEND: 'redis' })
  await program.waitForOutput(/is running/, 30_000)
  const redisIds = (): number[] =>
    [...program.stdout().matchAll(/^redis is process (\d+): /gm)].map(([, id]) => Number(id))
  const [first = 0] = redisIds()
  const engineLog = join(root, '.data/logs/engine.log')
  const [, port] = await waitFor(() =>
    /given redis at redis:\/\/127\.0\.0\.1:(\d+)/.exec(readFileSync(engineLog, 'utf8')),
  )
  expect(program.stdout()).toContain(`kill -USR2 ${program.process.pid} starts it again`)

  process.kill(first, 'SIGKILL')
  await waitFor(() => !isAlive(first), { what: 'redis to be gone' })
  program.process.kill('SIGUSR2')
  const second = await waitFor(() => redisIds()[1], { what: 'redis to be back' })
  expect(readFileSync(`/proc/${second}/cmdline`, 'utf8')).toContain(`:${port}`)
  const ids = family(program)
  expect(ids).toContain(second)
  expect(await program.stop()).toEqual({ code: 0, signal: null })
  expect(ids.some(isAlive)).toBe(false)
})

it('starts no Redis where another is named, and none where none is chosen', async () => {
  const root = workspace(listens)
  for (const environment of [{ PUBSUB_BACKEND: 'redis', REDIS_URL: 'redis://127.0.0.1:1' }, {}]) {
    const program = launch(root, await freePort(), environment)
    await program.waitForOutput(/is running/, 30_000)
    expect(program.stdout()).not.toContain('redis is process')
    await program.stop()
  }
})

it('ends on a signal while an app is not ready yet', async () => {
  const program = launch(workspace(`${line}; line(40, { msg: 'not ready' }); ${waits}`), await freePort())
  await program.waitForOutput(/not ready/, 30_000)
  const ids = family(program)
  expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null })
  await waitFor(() => !ids.some(isAlive), { timeout: 5_000, what: 'every process to be gone' })
})

it('ends apps that ignore signals', async () => {
  const deaf = `for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {});`
  const program = launch(workspace(`${listens}; ${deaf}`), await freePort())
  await program.waitForOutput(/is running/, 30_000)
  const ids = family(program)
  expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(ids.some(isAlive)).toBe(false)
})

it('leaves nothing running when it is killed, and starts again with its data', async () => {
  const root = workspace(listens)
  const first = launch(root, await freePort())
  await first.waitForOutput(/is running/, 30_000)
  const ids = family(first)
  const made = statSync(join(root, '.data/postgres/PG_VERSION')).mtimeMs
  await first.stop('SIGKILL')
  await waitFor(() => !ids.some(isAlive), { what: 'every process to be gone' })
  const second = launch(root, await freePort())
  await second.waitForOutput(/is running/, 30_000)
  expect(statSync(join(root, '.data/postgres/PG_VERSION')).mtimeMs).toBe(made)
  expect(await second.stop()).toEqual({ code: 0, signal: null })
})

it.each([
  ['at its start', `${line}; line(50, { msg: 'no settings' }); process.exit(3)`, 'no settings'],
  [
    'later',
    `${listens}; process.on('SIGUSR2', () => { line(60, { msg: 'fell over' }); process.exit(3) })`,
    'fell over',
  ],
])('stops everything with one error when an app dies %s', async (when, api, words) => {
  const root = workspace(api)
  const program = launch(root, await freePort())
  if (when === 'later') {
    await program.waitForOutput(/is running/, 30_000)
    const file = join(root, 'apps/api/dist/main.js')
    const id = family(program).find(
      (id) =>
        readFileSync(`/proc/${id}/cmdline`, 'utf8').endsWith(`${file}\0`) &&
        !readFileSync(`/proc/${id}/cmdline`, 'utf8').includes('guard.js'),
    )
    process.kill(id ?? 0, 'SIGUSR2')
  }
  expect(await program.exited).toEqual({ code: 1, signal: null })
  expect(program.stderr()).toMatch(new RegExp(`^error: api ended with exit code 3: .*${words}.*\\n$`))
  expect(existsSync(join(root, '.data/running.pid'))).toBe(false)
})

it('names a port that is in use, and starts nothing', async () => {
  const root = workspace(listens)
  const other = createServer()
  const port = await freePort()
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => other.close(resolve)))
  const program = launch(root, port)
  expect(await program.exited).toEqual({ code: 1, signal: null })
  expect(program.stderr()).toBe(
    `error: port ${port} on 127.0.0.1 is in use: choose another, as in PORT=${port + 1}\n`,
  )
  expect(existsSync(join(root, '.data'))).toBe(false)
})

it('does not start twice on the same data', async () => {
  const root = workspace(listens)
  const first = launch(root, await freePort())
  await first.waitForOutput(/is running/, 30_000)
  const second = launch(root, await freePort())
  expect(await second.exited).toEqual({ code: 1, signal: null })
  expect(second.stderr()).toBe(`error: it runs already (process ${first.process.pid}): stop that first\n`)
  expect(first.process.exitCode).toBe(null)
})
