import { isUtf8 } from 'node:buffer'
import {
  type Backend,
  type BackendEvents,
  type BackendOptions,
  createInbox,
  describeError,
  PubSubError,
  silentLogger,
} from '@ps/core'
import { type Connection, openConnection } from './connection.js'
import { type ConnectionTarget, parseConnectionUrl } from './connection-url.js'
import { connectionFailure, publishFailure } from './failures.js'
import { keepConnected } from './keep-connected.js'
import { createSubscriptions } from './subscriptions.js'

const backend = 'redis'
/** `start` waits no longer for the first attempt to have an outcome, in milliseconds. */
const startMilliseconds = 1_500
/** `close` waits no longer for what was published before, in milliseconds. */
const flushMilliseconds = 2_000

/**
 * The Redis backend: one connection that publishes and one that is subscribed, each made anew whenever it is lost. It is
 * `ready` while both are up and every wanted channel is confirmed.
 */
export function createBackend({ url, listenUrl, log = silentLogger }: BackendOptions): Backend {
  const subscriptions = createSubscriptions()
  const stopping = new AbortController()
  const { signal } = stopping
  const inFlight = new Set<Promise<unknown>>()
  let events: BackendEvents | undefined
  let publishing: Connection | undefined
  let listening = false
  let ready = false
  let downCause: Error | undefined
  // Why the subscriptions, having been live, are so no longer.
  let interruption: string | undefined
  let supervising: Promise<unknown> | undefined
  let closing: Promise<void> | undefined
  let firstOutcome: ((failure?: PubSubError) => void) | undefined

  const closed = (): PubSubError => new PubSubError('closed', 'the backend is closed', { backend })

  const down = (cause: PubSubError): void => {
    if (signal.aborted) return
    firstOutcome?.(cause)
    // Where the first outcome is that nothing can mend it, there is nobody to tell any more.
    if (signal.aborted || (!ready && downCause?.message === cause.message)) return
    ready = false
    downCause = cause
    events?.state('down', cause)
  }

  const up = (): void => {
    if (signal.aborted || publishing === undefined || !listening) return
    ready = true
    downCause = undefined
    events?.state('ready')
    firstOutcome?.()
  }

  const failed = (error: unknown): void =>
    down(
      error instanceof PubSubError
        ? error
        : new PubSubError('unavailable', describeError(error), { backend }),
    )

  const publishOver = async (target: ConnectionTarget): Promise<void> => {
    const connection = await openConnection({
      target,
      name: '@ps/redis:publish',
      signal,
      onLost(cause) {
        publishing = undefined
        down(cause)
      },
    })
    publishing = connection
    up()
    await connection.ended
  }

  const listenOver = async (target: ConnectionTarget): Promise<void> => {
    const connection = await openConnection({
      target,
      name: '@ps/redis:subscribe',
      signal,
      onMessage: receive,
      onLost(cause) {
        if (listening) interruption = `the connection that listens was lost: ${describeError(cause)}`
        listening = false
        inbox.hold()
        subscriptions.detach()
        down(cause)
      },
    })
    await subscriptions.attach(connection)
    if (connection.lost === undefined) {
      listening = true
      if (interruption !== undefined && !signal.aborted) events?.gap(interruption)
      interruption = undefined
      inbox.release(subscriptions.isWanted)
      up()
    }
    await connection.ended
  }

  const inbox = createInbox((channel, payload) => {
    try {
      events?.message(channel, payload)
    } catch (error) {
      // What escapes from here, ioredis throws where nobody can catch it.
      log.error(`a handler failed: ${describeError(error)}`)
    }
  })

  const receive = (channelBytes: Buffer, payload: Buffer): void => {
    const channel = channelBytes.toString()
    if (!subscriptions.isWanted(channel)) return
    if (isUtf8(payload)) inbox.message(channel, payload.toString())
    else events?.invalid(channel, new PubSubError('invalid_payload', 'it is not UTF-8', { backend, channel }))
  }

  const shutDown = async (): Promise<void> => {
    subscriptions.stop(closed())
    const flush = setTimeout(() => stopping.abort(closed()), flushMilliseconds)
    await Promise.allSettled(inFlight)
    clearTimeout(flush)
    firstOutcome?.(closed())
    stopping.abort(closed())
    await supervising
  }

  return {
    name: backend,

    async start(given) {
      const publishTarget = parseConnectionUrl(url)
      const listenTarget = listenUrl === undefined ? publishTarget : parseConnectionUrl(listenUrl)
      for (const parameter of publishTarget.unknownParameters)
        log.warn(`the parameter ${parameter} of the Redis URL is not known and is ignored`)
      if (closing !== undefined || signal.aborted) throw closed()
      events = given
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(
          () => down(connectionFailure(new Error('it has not answered yet'), publishTarget)),
          startMilliseconds,
        )
        firstOutcome = (failure) => {
          firstOutcome = undefined
          clearTimeout(late)
          if (failure === undefined || failure.code === 'unavailable') {
            resolve()
          } else {
            stopping.abort(failure)
            void supervising?.then(() => reject(failure))
          }
        }
        supervising = Promise.all([
          keepConnected(() => publishOver(publishTarget), failed, signal),
          keepConnected(() => listenOver(listenTarget), failed, signal),
        ])
      })
    },

    async subscribe(channel) {
      if (closing !== undefined) throw closed()
      await subscriptions.add(channel)
    },

    unsubscribe: (channel) => subscriptions.remove(channel),

    async publish(channel, payload) {
      if (closing !== undefined) throw closed()
      if (!ready || publishing === undefined) {
        throw new PubSubError(
          'not_sent',
          `the message was not sent: ${describeError(downCause ?? 'not connected')}`,
          {
            backend,
            channel,
            cause: downCause,
          },
        )
      }
      const sent = publishing.send((redis) => redis.publish(channel, payload))
      inFlight.add(sent)
      try {
        await sent
      } catch (error) {
        throw publishFailure(error, channel)
      } finally {
        inFlight.delete(sent)
      }
    },

    async ping() {
      if (closing !== undefined) throw closed()
      try {
        if (!ready || publishing === undefined) throw downCause ?? new Error('not connected')
        await publishing.ping()
      } catch (cause) {
        throw new PubSubError('unavailable', describeError(cause), { backend, cause })
      }
    },

    close() {
      return (closing ??= shutDown())
    },
  }
}
