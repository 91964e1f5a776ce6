import type { Socket } from 'node:net'
import { PubSubError } from '@ps/core'
import { Redis } from 'ioredis'
import { type CommandStream, createCommandStream } from './command-stream.js'
import type { ConnectionTarget } from './connection-url.js'
import { connectionFailure, isAnswer, isRefusal } from './failures.js'

/** How often a connection is asked whether it lives, in milliseconds. */
const beatMilliseconds = 1_000
/**
 * After how many beats without a byte from the server it is given up. Beats are counted rather than time: a program that
 * blocks its event loop for long has one beat, and then reads what has arrived meanwhile.
 */
const silentBeats = 3
/** How long the network may take to connect, in milliseconds. */
const connectMilliseconds = 1_500
/** When the system begins to probe an idle connection, in milliseconds. */
const keepAliveMilliseconds = 5_000

/** One connection, from its opening to its loss. It never reconnects. */
export interface Connection {
  /** Why it was lost, if it was. */
  readonly lost: PubSubError | undefined
  /** Resolves once it is lost. */
  readonly ended: Promise<void>
  /** A round trip. Rejects where the server has not the means to serve. */
  ping(): Promise<void>
  /** Gives it up. */
  lose(error: unknown): void
}

/** A connection that sends commands and does not listen. */
export interface CommandConnection extends Connection, Omit<CommandStream, 'fail'> {}

/** A connection that listens. */
export interface ListeningConnection extends Connection {
  /**
   * Sends commands together with the others of this turn of the event loop, in one write. Rejects with what the server
   * answered, or with the reason of the loss.
   */
  send<Result>(command: (redis: Redis) => Promise<Result>): Promise<Result>
  /** The channels that it is subscribed to by `ssubscribe`, as the server has told so far. */
  shardChannels(): readonly string[]
}

export interface OpenConnectionOptions {
  readonly target: ConnectionTarget
  /** What `CLIENT LIST` shows. */
  readonly name: string
  /** Gives the connection up. */
  readonly signal: AbortSignal
  /** Called once for a connection that had been opened, before any of its calls is rejected. */
  readonly onLost: (cause: PubSubError) => void
}

export interface OpenListeningOptions extends OpenConnectionOptions {
  readonly onMessage: (channel: Buffer, payload: Buffer) => void
  /** The server may have ended a subscription that `ssubscribe` made: its channel has moved to another node. */
  readonly onMoved?: () => void
}

/** A connection, and what it is made of. */
interface Opened {
  readonly connection: Connection
  readonly redis: Redis
  /** Has it asked by `ping` from now on whether it lives, and calls `fail` when it is lost. */
  use(ping: () => Promise<unknown>, fail: (cause: PubSubError) => void): void
  /** Makes of what failed the loss of the connection, where the server has not refused it. */
  settleFailure(error: unknown): never
}

/**
 * It is one ioredis instance that does not reconnect: those that do send again what is in flight, or leave it unsettled.
 */
async function open({ target, name, signal, onLost }: OpenConnectionOptions): Promise<Opened> {
  const redis = new Redis({
    host: target.host,
    port: target.port,
    ...(target.username === '' ? {} : { username: target.username }),
    ...(target.password === '' ? {} : { password: target.password }),
    ...(target.tls === undefined ? {} : { tls: target.tls }),
    disableClientInfo: true,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: null,
    connectTimeout: connectMilliseconds,
    keepAlive: keepAliveMilliseconds,
  })
  let lost: PubSubError | undefined
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  let opened = false
  let pinging = false
  let silent = 0
  let bytesRead = 0

  const lose = (error: unknown): void => {
    if (lost !== undefined) return
    lost = error instanceof PubSubError ? error : connectionFailure(error, target, opened)
    clearInterval(beats)
    signal.removeEventListener('abort', abort)
    // Once it has ended, ioredis would wait for a second end.
    if (redis.status !== 'end') {
      redis.disconnect()
      // ioredis would wait for the other side to close too.
      stream()?.destroy()
    }
    if (opened) onLost(lost)
    fail(lost)
    end()
  }
  const abort = (): void => lose(signal.reason)
  // There is none before the first turn of the event loop.
  const stream = (): Redis['stream'] | undefined => redis.stream

  let fail: (cause: PubSubError) => void = () => {}
  let sendPing: () => Promise<unknown> = () => redis.ping()
  const ping = async (): Promise<void> => {
    try {
      await sendPing()
    } catch (error) {
      if (!isAnswer(error)) throw error
    }
  }

  const beat = (): void => {
    const read = stream()?.bytesRead ?? 0
    silent = read === bytesRead ? silent + 1 : 0
    bytesRead = read
    if (silent >= silentBeats) {
      lose(new Error(`the server has not answered for ${(silentBeats * beatMilliseconds) / 1_000} s`))
    } else if (opened && !pinging) {
      pinging = true
      const answered = (): void => {
        pinging = false
      }
      ping().then(answered, answered)
    }
  }
  const beats = setInterval(beat, beatMilliseconds)

  redis.on('error', lose)
  redis.on('end', () => lose(new Error('the server closed the connection')))
  signal.addEventListener('abort', abort)

  try {
    signal.throwIfAborted()
    await redis.connect()
    // Not by ioredis, as a further write at once: a server without a free place has hung up by then, and what it said
    // would be lost. Nor is it needed: the user may have no right to it.
    redis.client('SETNAME', name).catch(() => {})
    await ping()
    if (lost !== undefined) throw lost
    opened = true
  } catch (error) {
    lose(error)
    throw lost
  }

  const settleFailure = (error: unknown): never => {
    if (isRefusal(error)) throw error
    lose(error)
    throw lost
  }

  return {
    redis,
    connection: {
      ended,
      get lost() {
        return lost
      },
      lose,
      ping: () => ping().catch(settleFailure),
    },
    use(given, onFail) {
      sendPing = given
      fail = onFail
      if (lost !== undefined) fail(lost)
    },
    settleFailure,
  }
}

/** Opens a connection that sends commands. ioredis logs in; then the socket is ours. Rejects as {@link openListening} does. */
export async function openConnection(options: OpenConnectionOptions): Promise<CommandConnection> {
  const { redis, connection, use } = await open(options)
  const { fail, ...commands } = createCommandStream(redis.stream as Socket, connection.lose)
  use(() => commands.call('PING'), fail)
  return Object.assign(connection, commands)
}

/**
 * Opens a connection that listens, once the server has answered on it. Rejects with the reason, after at most a few seconds
 * without a byte from the server.
 */
export async function openListening(options: OpenListeningOptions): Promise<ListeningConnection> {
  const { redis, connection, settleFailure } = await open(options)
  redis.on('messageBuffer', options.onMessage).on('smessageBuffer', options.onMessage)
  if (options.onMoved !== undefined) redis.on('moved', options.onMoved)
  let corked = false
  const uncork = (): void => {
    corked = false
    redis.stream.uncork()
  }
  return Object.assign(connection, {
    send<Result>(command: (redis: Redis) => Promise<Result>): Promise<Result> {
      if (connection.lost !== undefined) return Promise.reject(connection.lost)
      if (!corked) {
        corked = true
        redis.stream.cork()
        process.nextTick(uncork)
      }
      return command(redis).catch(settleFailure)
    },
    shardChannels() {
      const subscribed = redis.condition?.subscriber
      return subscribed ? subscribed.channels('ssubscribe') : []
    },
  })
}
