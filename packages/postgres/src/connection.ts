import { Socket } from 'node:net'
import { describeError, isPubSubError, type Logger, PubSubError } from '@ps/core'
import postgres from 'postgres'
import type { Address, ConnectionTarget, Encryption } from './connection-url.js'
import { connectFailure, describeAddress, isRefusal, standbyError, withoutDriver } from './failures.js'
import { openSocket } from './open-socket.js'
import { muteError, muteMilliseconds, watchSilence } from './watch-silence.js'

/** How often an idle connection is tried, in milliseconds: a peer that is gone is noticed within this and `muteMilliseconds`. */
const heartbeatMilliseconds = 5_000
/** How long a connection may take to close in good order, in seconds. */
const endSeconds = 1

/** One session with the server. Once lost it is never mended: another takes its place. */
export interface Connection {
  /** Where it leads, for messages. */
  readonly where: string
  /** Whether the database's encoding is UTF-8. In all others only ASCII is sent. */
  readonly unicode: boolean
  /**
   * Runs one statement. Rejects with the server's error where the server refused it, and the connection lives on.
   * Any other failure is the loss of the connection: `onLost` is called first, then this rejects with its cause.
   */
  query<Row extends object>(statement: (sql: postgres.Sql) => postgres.PendingQuery<Row[]>): Promise<Row[]>
  /** Calls `onSilence` once nothing has come from the server for `milliseconds`. Returns how to stop that. */
  watch(milliseconds: number, onSilence: () => void): () => void
  /** Drops the connection at once; calls `onLost`. */
  lose(cause: Error): void
  /** Closes the connection in good order, and calls nothing. Whatever still runs rejects. */
  end(): Promise<void>
}

/** What a connection is made with, beside its target. */
export interface ConnectionUse {
  /** Whether statements may be prepared on the server; not through a pooler. */
  readonly prepare: boolean
  readonly log: Logger
  /** Ends the connection, also while it is being opened. */
  readonly signal: AbortSignal
  /** A notification, as it stands on the wire. */
  onNotification?(channel: string, payload: string): void
  /** The connection was open and is lost. Called once, before anything that ran on it rejects. */
  onLost(cause: Error): void
}

// postgres.js takes both, its types do not know them.
interface UntypedOptions {
  readonly socket: () => Socket
  readonly onnotify: (channel: string, payload: string) => void
  readonly sslnegotiation: null
  readonly max_pipeline: number
}

/** Opens one connection to one address. Rejects with a `PubSubError` that says what is wrong. */
export async function openConnection(
  target: ConnectionTarget,
  address: Address,
  encryption: Encryption,
  { prepare, log, signal, onNotification, onLost }: ConnectionUse,
): Promise<Connection> {
  signal.throwIfAborted()
  const where = `PostgreSQL at ${describeAddress(address)}`
  const socket = await openSocket(address, encryption, signal).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : connectFailure(error, address, target)
  })
  const running = new Set<(cause: Error) => void>()
  let opened = false
  let lost: Error | undefined

  const lose = (cause: Error): void => {
    if (lost !== undefined) return
    lost =
      opened && !isPubSubError(cause, 'closed')
        ? new PubSubError('unavailable', `${where}: ${describeError(cause)}`, { backend: 'postgres', cause })
        : cause
    leave()
    // In good order a half-open socket would take minutes to close.
    socket.destroy()
    void sql.end({ timeout: 0 }).catch(() => {})
    if (opened) onLost(lost)
    for (const reject of running) reject(lost)
  }

  const leave = (): void => {
    clearInterval(heartbeat)
    signal.removeEventListener('abort', abort)
  }

  const abort = (): void => lose(new PubSubError('closed', 'the backend was closed', { backend: 'postgres' }))

  socket.on('error', lose)
  socket.on('close', () => lose(new Error('the connection was closed')))

  let given = false
  const giveSocket = (): Socket => {
    // Asked a second time, postgres.js is reconnecting by itself, which a connection of ours never does: writing to a
    // socket that was never connected fails and ends the attempt.
    if (given) return new Socket()
    given = true
    return socket
  }

  const options: postgres.Options<Record<string, never>> & UntypedOptions = {
    host: address.host,
    port: address.port,
    user: target.user,
    password: target.password,
    database: target.database,
    connection: { ...target.session },
    ssl: false,
    sslnegotiation: null,
    socket: giveSocket,
    max: 1,
    // A pooler may take an answer for the last one of a session that has more to say (PgBouncer before 1.21).
    max_pipeline: prepare ? 100 : 0,
    max_lifetime: null,
    idle_timeout: 0,
    // A query's own silence is watched; this timer would outlive the connection.
    connect_timeout: 0,
    // Set on the socket already.
    keep_alive: null,
    fetch_types: false,
    // Else postgres.js would take it from the environment, and not know `any`. We look for a standby anyway.
    ...(process.env.PGTARGETSESSIONATTRS && { target_session_attrs: 'primary' }),
    prepare,
    debug: false,
    backoff: () => 0,
    onnotice: ({ severity, message }) => {
      // The one that matters: the notification queue is filling up.
      if (severity === 'WARNING') log.warn(`${where}: ${message}`)
    },
    onclose: () => {
      // The rejection of a running query knows the cause better, and is a microtask away.
      queueMicrotask(() => lose(new Error('the connection was closed')))
    },
    onnotify: (channel, payload) => {
      if (lost !== undefined) return
      try {
        onNotification?.(channel, payload)
      } catch (error) {
        // postgres.js would take it for an answer to whatever query is running.
        log.error(`${where}: a notification could not be handed over: ${describeError(error)}`)
      }
    },
  }
  const sql = postgres(options)

  const query: Connection['query'] = (statement) =>
    new Promise((resolve, reject) => {
      if (lost !== undefined) return reject(lost)
      const stop = watchSilence(socket, muteMilliseconds, () => lose(muteError()))
      const settle = (cause: Error): void => {
        stop()
        running.delete(settle)
        reject(cause)
      }
      running.add(settle)
      statement(sql).then(
        (rows) => {
          stop()
          running.delete(settle)
          resolve(rows)
        },
        (error: Error) => (isRefusal(error) ? settle(error) : lose(withoutDriver(error))),
      )
    })

  const heartbeat = setInterval(() => {
    if (opened && running.size === 0) query((sql) => sql`select 1`).catch(() => {})
  }, heartbeatMilliseconds).unref()
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()

  try {
    // Either connection is idle for as long as nothing is said, and must live on. PostgreSQL has that setting since
    // version 14. A NOTIFY waits for the commits of others: were it given up by us alone (`muteMilliseconds`), its session
    // would wait on, and the next one beside it. A pooler's session is not ours to set.
    const isPooled = !prepare && onNotification === undefined
    const [hello] = await query((sql) => {
      const settings = sql`(
        select count(set_config(name, case name when 'lock_timeout' then '2500' else '0' end, false)) from pg_settings
        where (name = 'idle_session_timeout' and setting <> '0')
          or (name = 'lock_timeout' and setting::int not between 1 and 2500)
      )`
      return sql<{ encoding: string; standby: string }[]>`
        select current_setting('server_encoding') as encoding, pg_is_in_recovery()::text as standby,
          ${isPooled ? sql`null` : settings}
      `.simple()
    })
    if (hello === undefined) throw new Error('the server gave no answer')
    if (hello.standby === 'true') throw standbyError()
    opened = true
    return {
      where,
      unicode: hello.encoding === 'UTF8',
      query,
      watch: (milliseconds, onSilence) => watchSilence(socket, milliseconds, onSilence),
      lose,
      async end() {
        opened = false
        leave()
        await sql.end({ timeout: endSeconds }).catch(() => {})
        lose(new PubSubError('closed', 'the backend was closed', { backend: 'postgres' }))
      },
    }
  } catch (error) {
    lose(error instanceof Error ? error : new Error(String(error)))
    throw signal.aborted ? signal.reason : connectFailure(error, address, target)
  }
}
