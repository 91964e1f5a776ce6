import { chownSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.js'
import { findPgBouncer } from './pgbouncer-binary.js'
import { startRestartableServer } from './restartable-server.js'
import { serverUser } from './server-user.js'

export interface PgBouncerOptions {
  /** URL of the PostgreSQL behind it, with user and password; those are asked for in front of it, too. */
  readonly target: string
  /** When a session of the server goes to another client. Default: `transaction`. */
  readonly poolMode?: 'session' | 'transaction' | 'statement' | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
  /** As in the section `pgbouncer` of pgbouncer.ini. */
  readonly settings?: Readonly<Record<string, string | number>> | undefined
}

/** A PgBouncer of our own, on 127.0.0.1, before a PostgreSQL. */
export interface PgBouncer {
  /** The URL of the target, through it. */
  readonly url: string
  readonly port: number
  readonly processId: number
  log(): string
  kill(signal: NodeJS.Signals): void
  /** Stops it, if it still runs, and starts it again on the same port. */
  restart(): Promise<void>
  halt(): Promise<void>
  stop(): Promise<void>
}

/** No PgBouncer can be had on this machine; the message says why and what to do. */
export class PgBouncerUnavailable extends Error {}

/** Starts a private PgBouncer. Throws {@link PgBouncerUnavailable} where none can be had. */
export async function startPgBouncer({
  target,
  poolMode = 'transaction',
  port: given,
  settings = {},
}: PgBouncerOptions): Promise<PgBouncer> {
  const found = await findPgBouncer()
  if ('reason' in found) throw new PgBouncerUnavailable(found.reason)
  const folder = mkdtempSync(join(tmpdir(), 'ps-pgbouncer-'))
  const userId = serverUser()
  const port = given ?? (await freePort())
  const url = new URL(target)
  const write = (name: string, text: string): string => {
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o600 })
    if (userId !== undefined) chownSync(file, userId, userId)
    return file
  }
  if (userId !== undefined) chownSync(folder, userId, userId)
  const users = [url.username, url.password].map((text) => quote(decodeURIComponent(text))).join(' ')
  const all: Record<string, string | number> = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: write('users.txt', `${users}\n`),
    pool_mode: poolMode,
    ignore_startup_parameters: 'extra_float_digits,options',
    // It refuses to run as root. Started as root it leaves that by itself, once it is loaded: the folder that it was
    // unpacked into may be closed to others.
    ...(userId !== undefined && { user: 'nobody' }),
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  const databases = `[databases]\n* = host=${url.hostname} port=${url.port || 5432}`
  const file = write('pgbouncer.ini', `${databases}\n\n[pgbouncer]\n${lines.join('\n')}\n`)

  const running = await startRestartableServer({
    name: 'PgBouncer',
    port,
    folder,
    command: found.file,
    arguments: [file],
    environment: found.environment,
    // The guard's own signal alone may wait for the clients to leave.
    endSignal: 'SIGTERM',
  })
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return {
    url: url.href,
    port,
    get processId() {
      return running.processId
    },
    log: running.log,
    kill: running.kill,
    restart: running.restart,
    halt: running.halt,
    stop: running.stop,
  }
}

const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`
