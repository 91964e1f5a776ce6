import { existsSync, mkdirSync, readFileSync, writeFileSync, createWriteStream } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { randomBytes } from 'node:crypto'
import { claimFolder } from './claim-folder.js'
import { startGuardedProcess } from './guarded-process.js'
import { type OwnRedis, startOwnRedis } from './own-redis.js'
import { type PostgresServer, startPostgres } from './postgres.js'
import { withDeadline } from './wait-for.js'

export interface StartOptions {
  /** The folder of the workspace. */
  readonly root: string
  readonly environment: NodeJS.ProcessEnv
  readonly print: (line: string) => void
  /** Gives up starting, and stops what has been started. */
  readonly signal: AbortSignal
}

/** Everything that `pnpm start` runs. */
export interface Running {
  readonly address: string
  /** Resolves with the reason when a part has ended by itself. */
  readonly failed: Promise<string>
  stop(): Promise<void>
}

const startPatience = 60_000
const keptLines = 5

/**
 * Starts PostgreSQL (unless `DATABASE_URL` is given), Redis (where it is chosen, unless `REDIS_URL` is given), the engine and the api. Throws
 * an error of one line, with everything stopped.
 */
export async function start({ root, environment, print, signal }: StartOptions): Promise<Running> {
  const host = environment.HOST || '127.0.0.1'
  const port = readPort(environment.PORT)
  await assertPortIsFree(host, port)
  const data = join(root, '.data')
  mkdirSync(join(data, 'logs'), { recursive: true })
  const release = claimFolder(data)
  let postgres: PostgresServer | undefined
  let redis: OwnRedis | undefined
  const apps: App[] = []

  const stop = async (): Promise<void> => {
    await Promise.all(apps.map((app) => app.stop()))
    await Promise.all([postgres?.stop(), redis?.stop()])
    release()
  }

  try {
    postgres = environment.DATABASE_URL ? undefined : await startOwnPostgres(data)
    signal.throwIfAborted()
    redis = needsOwnRedis(environment) ? await startOwnRedis(print) : undefined
    signal.throwIfAborted()
    const shared = {
      ...environment,
      ...(postgres && { DATABASE_URL: postgres.url }),
      ...(redis && { REDIS_URL: redis.url }),
      PORT: String(port),
      HOST: host,
      ENGINE_DATA_DIR: environment.ENGINE_DATA_DIR || join(data, 'engine'),
      API_DATA_DIR: environment.API_DATA_DIR || join(data, 'api'),
      API_FAULTS: environment.API_FAULTS || (mayHaveFaults(environment, host) ? 'on' : 'off'),
      ...(isQuiet(environment) && { LOG_LEVEL: 'info' }),
    }
    for (const name of ['api', 'engine']) {
      const file = join(root, 'apps', name, 'dist/main.js')
      apps.push(
        await startApp({
          name,
          file,
          environment: shared,
          logFile: join(data, 'logs', `${name}.log`),
          print,
        }),
      )
    }
    const failed = Promise.race(apps.map((app) => app.failed))
    const address = await untilListening(apps, failed, signal)
    return { address, failed, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function untilListening(apps: readonly App[], failed: Promise<string>, signal: AbortSignal): Promise<string> {
  const [api] = apps
  if (api === undefined) throw new Error('no app was started')
  const failure = failed.then((reason): never => {
    throw new Error(reason)
  })
  return withDeadline(
    Promise.race([api.address, failure, aborted(signal)]),
    startPatience,
    'the api to say that it listens',
  )
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const fail = (): void => reject(new Error('it was told to end'))
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })

/** The api refuses to have them where somebody else could ask for them. */
const mayHaveFaults = (
  { API_TOKEN, API_JWT_SECRET, API_JWKS_URL }: NodeJS.ProcessEnv,
  host: string,
): boolean =>
  !API_TOKEN &&
  !API_JWT_SECRET &&
  !API_JWKS_URL &&
  (host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host))

/** Whether the log would not say where the api listens. */
const isQuiet = ({ LOG_LEVEL = '' }: NodeJS.ProcessEnv): boolean =>
  ['warn', 'error', 'fatal', 'silent'].includes(LOG_LEVEL)

const needsOwnRedis = ({ PUBSUB_BACKEND, PUBSUB_FALLBACK, REDIS_URL }: NodeJS.ProcessEnv): boolean =>
  !REDIS_URL?.trim() && [PUBSUB_BACKEND, PUBSUB_FALLBACK].some((name) => name?.trim() === 'redis')

async function startOwnPostgres(data: string): Promise<PostgresServer> {
  const passwordFile = join(data, 'postgres-password')
  if (!existsSync(passwordFile))
    writeFileSync(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 })
  return startPostgres({
    dataDirectory: join(data, 'postgres'),
    password: readFileSync(passwordFile, 'utf8').trim(),
  })
}

interface App {
  /** Resolves with the address when the app says that it listens. */
  readonly address: Promise<string>
  readonly failed: Promise<string>
  stop(): Promise<void>
}

interface AppOptions {
  readonly name: string
  readonly file: string
  readonly environment: NodeJS.ProcessEnv
  readonly logFile: string
  readonly print: (line: string) => void
}

async function startApp({ name, file, environment, logFile, print }: AppOptions): Promise<App> {
  const log = createWriteStream(logFile)
  const lastLines: string[] = []
  let stopping = false
  let rest = ''
  let listening: (address: string) => void = () => {}
  const address = new Promise<string>((resolve) => {
    listening = resolve
  })

  const read = (line: string): void => {
    log.write(`${line}\n`)
    const entry = parseLog(line)
    if (entry === undefined || entry.level >= 40 || entry.message.startsWith('backend ')) {
      const text = `${name}: ${entry?.message ?? line}`
      lastLines.push(text)
      if (lastLines.length > keptLines) lastLines.shift()
      if (entry !== undefined) print(text)
    }
    if (entry?.url !== undefined) listening(entry.url)
  }

  const app = await startGuardedProcess({
    command: process.execPath,
    arguments: [file],
    environment,
    onOutput(text) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) read(line)
    },
  })
  const failed = app.exited.then((code) => {
    log.end()
    const words = lastLines.length === 0 ? '' : `: ${lastLines.join(' | ')}`
    return stopping ? new Promise<never>(() => {}) : `${name} ended with exit code ${code}${words}`
  })
  return {
    address,
    failed,
    stop() {
      stopping = true
      return app.stop()
    },
  }
}

/** A line of pino's. */
function parseLog(line: string): { level: number; message: string; url: string | undefined } | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const { level, msg, url } = JSON.parse(line) as { level?: unknown; msg?: unknown; url?: unknown }
    if (typeof level !== 'number') return undefined
    return {
      level,
      message: String(msg),
      url: msg === 'listening' && typeof url === 'string' ? url : undefined,
    }
  } catch {
    return undefined
  }
}

function readPort(text: string | undefined): number {
  if (!text) return 3000
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`PORT is ${JSON.stringify(text)}: use a number from 0 to 65535`)
  }
  return port
}

function assertPortIsFree(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${error.code ?? error.message})`
      reject(
        new Error(
          `port ${port} on ${host} ${why}: choose another, as in PORT=${port === 0 ? 3000 : port + 1}`,
        ),
      )
    })
    server.listen(port, host, () => server.close(() => resolve()))
  })
}

async function main(): Promise<void> {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const print = (line: string): void => void process.stdout.write(`${line}\n`)
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort())
  // Neither a guarded process nor a signal handler keeps a program alive.
  const alive = setInterval(() => {}, 2 ** 30)
  let running: Running | undefined
  try {
    running = await start({ root, environment: process.env, print, signal: ending.signal })
    print(`@ps is running at ${running.address}`)
    throw new Error(await Promise.race([running.failed, aborted(ending.signal)]))
  } catch (error) {
    await running?.stop()
    if (ending.signal.aborted) return
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  } finally {
    clearInterval(alive)
  }
}

await main()
