import { randomBytes } from 'node:crypto'
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createCertificates, type ServerTls } from './certificates.js'
import { freePort } from './free-port.js'
import { postgresBinaries } from './postgres-binaries.js'
import { initializeData, placeFor } from './postgres-data.js'
import { descendants } from './process-tree.js'
import { startRestartableServer } from './restartable-server.js'
import { sendSignal } from './send-signal.js'
import { serverUser } from './server-user.js'
import { waitFor } from './wait-for.js'

export interface PostgresOptions {
  /** Where the data is kept. Default: a temporary folder that is removed at the end. */
  readonly dataDirectory?: string | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
  /** Default: a random one. With `dataDirectory`: the one that the data was made with. */
  readonly password?: string | undefined
  /** Server settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number>> | undefined
  /** Of the databases. Default: UTF8. */
  readonly encoding?: string | undefined
  /** Speak TLS, with a certificate for localhost and 127.0.0.1. */
  readonly tls?: ServerTls | undefined
}

/** A PostgreSQL of our own, on 127.0.0.1. */
export interface PostgresServer {
  readonly url: string
  readonly port: number
  readonly processId: number
  /** The certificate of the authority that signed the server's; with `tls` only. */
  readonly caFile: string | undefined
  /** What the server has logged lately. */
  log(): string
  /** Sends a signal to the server and all its processes. */
  kill(signal: NodeJS.Signals): void
  /** Stops it, if it still runs, and starts it again on the same port with the same data. */
  restart(): Promise<void>
  /** Restarts it as a hot standby, which only reads. It stays one until {@link PostgresServer.promote}. */
  demote(): Promise<void>
  /** Makes a hot standby take writes, without a restart. */
  promote(): Promise<void>
  /** Stops it and keeps the data. */
  halt(): Promise<void>
  /** Stops it and removes its temporary folder. */
  stop(): Promise<void>
}

const user = 'postgres'
const database = 'postgres'

/** Starts a private PostgreSQL from npm. Where that fails, nothing is left behind. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'ps-postgres-'))
  try {
    return await startIn(folder, options)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

async function startIn(folder: string, options: PostgresOptions): Promise<PostgresServer> {
  const { dataDirectory, settings = {}, encoding = 'UTF8', tls = false } = options
  const binaries = postgresBinaries()
  const userId = serverUser()
  const isTemporary = dataDirectory === undefined
  const own = (path: string): string => {
    if (userId !== undefined) chownSync(path, userId, userId)
    return path
  }
  own(folder)
  const data = isTemporary ? join(folder, 'data') : placeFor(resolve(dataDirectory))
  const port = options.port ?? (await freePort())
  const password = options.password ?? randomBytes(18).toString('base64url')
  await initializeData({
    data,
    initdb: join(binaries, 'initdb'),
    user,
    password,
    encoding,
    isDurable: !isTemporary,
    temporaryFolder: folder,
    own,
  })
  const certificates = tls ? await createCertificates(folder, own, tls === 'expired') : undefined
  const durability = isTemporary ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}
  const all: Record<string, string | number> = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    log_timezone: 'UTC',
    ...durability,
    ...(certificates && {
      ssl: 'on',
      ssl_cert_file: certificates.certificateFile,
      ssl_key_file: certificates.keyFile,
    }),
    ...settings,
  }

  const server = await startRestartableServer({
    name: 'PostgreSQL',
    port,
    folder,
    command: join(binaries, 'postgres'),
    arguments: ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    userId,
    startTimeout: 60_000,
    isReady(launched) {
      const { processId, state } = readPostmaster(data)
      return processId === launched.processId && (state === 'ready' || state === 'standby')
    },
  })
  const signalFile = (name: string): void => {
    const file = join(data, name)
    writeFileSync(file, '')
    own(file)
  }
  const scheme = `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`
  return {
    url: scheme,
    port,
    get processId() {
      return server.processId
    },
    caFile: certificates?.authorityFile,
    log: server.log,
    kill(name) {
      // The postmaster first: it would replace what it sees die, and could start another while the rest is stopped. Who is
      // below it is asked before, since a dead one has nobody below it, and after, since a stopped one starts nobody.
      const before = descendants(server.processId)
      sendSignal(server.processId, name)
      for (const processId of new Set([...before, ...descendants(server.processId)]))
        sendSignal(processId, name)
    },
    restart: server.restart,
    async demote() {
      await server.halt()
      signalFile('standby.signal')
      await server.restart()
    },
    async promote() {
      // postmaster.pid calls a hot standby ready, too; only the log tells them apart.
      const starts = (): number => server.log().split('is ready to accept connections').length
      const before = starts()
      // What `pg_ctl promote` does.
      signalFile('promote')
      sendSignal(server.processId, 'SIGUSR1')
      await waitFor(() => server.hasExited() || starts() > before, {
        timeout: 60_000,
        what: 'PostgreSQL to be promoted',
      })
      if (server.hasExited()) throw new Error(`PostgreSQL was not promoted: ${server.log().trim()}`)
    },
    halt: server.halt,
    stop: server.stop,
  }
}

/** What the server says of itself; the eighth line says how far the start has come. */
function readPostmaster(data: string): { processId: number; state: string } {
  const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
  return { processId: Number(lines[0]), state: (lines[7] ?? '').trim() }
}
