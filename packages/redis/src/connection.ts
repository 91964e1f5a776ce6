import { PubSubError } from '@ps/core'
import { Redis } from 'ioredis'
import { type CommandStream, createCommandStream, type ListeningEvents } from './command-stream.js'
import type { ConnectionTarget } from './connection-url.js'
import { connectionFailure, isAnswer, isRefusal } from './failures.js'
import { logIn } from './log-in.js'

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
export interface Connection extends Pick<CommandStream, 'call'> {
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
export interface CommandConnection extends Connection, Pick<CommandStream, 'send' | 'idle'> {}

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
  /** `payload` is `undefined` where it is not UTF-8. */
  readonly onMessage: (channel: string, payload: string | undefined) => void
  /** The server has ended a subscription that `SSUBSCRIBE` made: the channel has moved to another node. */
  readonly onMoved?: (channel: string) => void
}

/**
 * Has ioredis connect and encrypt, and nothing else. It would reconnect, and send again what is in flight or leave it unsettled; and its
 * login takes "no password is set", as a server in protected mode says, for a password too many, writes that to the console
 * and goes on.
 */
async function open(
  { target, name, signal, onLost }: OpenConnectionOptions,
  listening?: ListeningEvents,
): Promise<CommandConnection> {
  const redis = new Redis({
    host: target.host,
    port: target.port,
    ...(target.tls === undefined ? {} : { tls: target.tls }),
    // Another would be asked for at once.
    protocol: 2,
    disableClientInfo: true,
    lazyConnect: true,
    enableReadyCheck: false,
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
    commands?.fail(lost)
    end()
  }
  const abort = (): void => lose(signal.reason)
  // There is none before the first turn of the event loop.
  const stream = (): Redis['stream'] | undefined => redis.stream

  let commands: CommandStream | undefined
  const ping = async (): Promise<void> => {
    try {
      await commands?.call('PING')
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

  const settleFailure = (error: unknown): never => {
    if (isRefusal(error)) throw error
    lose(error)
    throw lost
  }

  const connection: Omit<Connection, 'call'> = {
    ended,
    get lost() {
      return lost
    },
    lose,
    ping: () => ping().catch(settleFailure),
  }

  try {
    signal.throwIfAborted()
    await redis.connect()
    if (lost !== undefined) throw lost
    commands = createCommandStream(redis.stream, { broken: lose }, listening)
    const { call, send, idle } = commands
    // By itself: a server without a free place has hung up by then, and what it said would be lost with a further write.
    await logIn(call, target)
    // Not needed: the user may have no right to it.
    call('CLIENT', 'SETNAME', name).catch(() => {})
    await ping()
    if (lost !== undefined) throw lost
    opened = true
    return Object.assign(connection, { call, send, idle })
  } catch (error) {
    lose(error)
    throw lost
  }
}

/** Opens a connection that sends commands. Rejects with the reason, after at most a few seconds without a byte from the server. */
export const openConnection = (options: OpenConnectionOptions): Promise<CommandConnection> => open(options)

/** Opens a connection that listens, as {@link openConnection} does. */
export const openListening = ({
  onMessage,
  onMoved,
  ...options
}: OpenListeningOptions): Promise<Connection> =>
  open(options, { message: onMessage, moved: (channel) => onMoved?.(channel) })
