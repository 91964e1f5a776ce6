import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Backend,
  type BackendEvents,
  type BackendOptions,
  createInbox,
  describeError,
  isPubSubError,
  PubSubError,
  publishBySending,
  retryDelay,
  type Send,
  silentLogger,
} from '@ps/core'
import { connectToAny } from './connect.js'
import type { Connection } from './connection.js'
import { type ConnectionTarget, parseConnectionUrl } from './connection-url.js'
import { explain } from './failures.js'
import { withoutMark } from './distinct-payloads.js'
import { createPartReader, maxPayloadBytes } from './parts.js'
import { createPublisher } from './publisher.js'
import { createSelfTest } from './self-test.js'
import { createSubscriptions } from './subscriptions.js'
import { createTransactionalPublisher } from './transactional-publisher.js'

const backend = 'postgres'
const defaultMaxMessageBytes = 1_024 * 1_024
/** What a client may add to a message, in bytes. */
const slackBytes = 64 * 1_024
/** `start` waits no longer for the first attempt to have an outcome, in milliseconds. */
const startMilliseconds = 5_000
/** `close` waits no longer for what was published before, in milliseconds. */
const flushMilliseconds = 2_000

/**
 * The PostgreSQL backend: one connection that publishes with `pg_notify` and one that LISTENs, both made anew whenever
 * one is lost. It is `ready` while both are up and a notification of its own has been heard from the one on the other.
 */
export function createBackend({
  url,
  listenUrl,
  maxMessageBytes = defaultMaxMessageBytes,
  log = silentLogger,
}: BackendOptions): Backend {
  const publisher = createPublisher()
  const transactionalPublisher = createTransactionalPublisher()
  const subscriptions = createSubscriptions(log)
  const selfTest = createSelfTest(
    listenUrl === undefined
      ? 'where the URL leads to a pooler in transaction mode, set PUBSUB_LISTEN_URL to the address of the server itself'
      : 'PUBSUB_LISTEN_URL must lead to the same database as the URL, and not through a pooler in transaction mode',
  )
  const stopping = new AbortController()
  let events: BackendEvents | undefined
  let publishing: Connection | undefined
  let listening: Connection | undefined
  let ready = false
  let downCause: Error | undefined
  // Whether the encoding of the database is UTF-8, as the last connection has said.
  let unicode: boolean | undefined
  // Whether the connection that listens has been heard; and why one that had been was lost.
  let heard = false
  let interruption: string | undefined
  let wake = (): void => {}
  let supervising: Promise<void> | undefined
  let closing: Promise<void> | undefined

  const down = (cause: Error): void => {
    if (stopping.signal.aborted || (!ready && downCause?.message === cause.message)) return
    ready = false
    downCause = cause
    events?.state('down', cause)
  }

  const connectPublishing = async (target: ConnectionTarget): Promise<Connection> => {
    const connection = await connectToAny(target, {
      prepare: listenUrl === undefined,
      log,
      signal: stopping.signal,
      onLost(cause) {
        publishing = undefined
        down(cause)
        publisher.detach(cause)
        wake()
      },
    })
    publishing = connection
    unicode = connection.unicode
    publisher.attach(connection)
    return connection
  }

  const inbox = createInbox((channel, payload) => events?.message(channel, payload))

  const connectListening = async (target: ConnectionTarget): Promise<Connection> => {
    const readPart = createPartReader(maxMessageBytes + slackBytes, {
      payload(physical, payload) {
        const channel = subscriptions.channelOf(physical)
        if (channel !== undefined) inbox.message(channel, payload)
      },
      invalid(physical, reason) {
        const channel = subscriptions.channelOf(physical)
        if (channel === undefined) return
        events?.invalid(channel, new PubSubError('invalid_payload', reason, { backend, channel }))
      },
    })
    const connection = await connectToAny(target, {
      prepare: false,
      log,
      signal: stopping.signal,
      onNotification(physical, payload) {
        if (physical === selfTest.channel) selfTest.hear(payload)
        else readPart(physical, withoutMark(payload))
      },
      onLost(cause) {
        listening = undefined
        if (heard) interruption ??= `the connection that listens was lost: ${describeError(cause)}`
        heard = false
        inbox.hold()
        down(cause)
        subscriptions.detach()
        selfTest.fail(cause)
        wake()
      },
    })
    listening = connection
    return connection
  }

  const connect = async (targets: Targets): Promise<void> => {
    const publishes = publishing ?? (await connectPublishing(targets.publishing))
    const listens = listening ?? (await connectListening(targets.listening))
    // Also where only the publishing connection is new: it may lead to another server than before.
    await selfTest.run(publishes, listens)
    // Not before: a pooler in transaction mode would leave the LISTENs on sessions that others use.
    if (!heard) {
      await subscriptions.attach(listens)
      heard = true
      const reason = interruption
      interruption = undefined
      if (reason !== undefined) events?.gap(reason)
      inbox.release(subscriptions.isWanted)
    }
    // It may have gone while the other was made ready.
    if (publishing === undefined) throw downCause ?? new Error('the connection that publishes was lost')
    ready = true
    events?.state('ready')
  }

  const lost = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve
      if (publishing === undefined || listening === undefined) resolve()
    })

  /** `isFatal` is told the outcome of each attempt to connect, and says whether it was the last. */
  const supervise = async (targets: Targets, isFatal: (failure?: unknown) => boolean): Promise<void> => {
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      try {
        await connect(targets)
        attempt = 0
        isFatal()
        await lost()
      } catch (error) {
        if (isFatal(error)) return
        down(
          isPubSubError(error)
            ? error
            : new PubSubError('unavailable', `PostgreSQL: ${explain(error)}`, {
                backend,
                cause: error,
              }),
        )
      }
      await sleep(retryDelay(attempt), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const closed = (): PubSubError => new PubSubError('closed', 'the backend is closed', { backend })

  const notSent = (channel: string): PubSubError => {
    const because = downCause === undefined ? 'the backend is not connected' : describeError(downCause)
    return new PubSubError('not_sent', `the message was not sent: ${because}`, {
      backend,
      channel,
      cause: downCause,
    })
  }

  const shutDown = async (): Promise<void> => {
    subscriptions.stop(closed())
    const deadline = setTimeout(() => stopping.abort(closed()), flushMilliseconds)
    await publisher.idle()
    clearTimeout(deadline)
    await Promise.all([publishing?.end(), listening?.end()])
    stopping.abort(closed())
    publisher.detach(closed())
    // A connection that was closed in good order brings no notification any more, and says nothing of its end.
    selfTest.fail(closed())
    wake()
    await supervising
  }

  const send: Send = (channel, payload, settled, ticket) => {
    if (closing === undefined && ready) return publisher.send(channel, payload, settled, ticket)
    const refusal = closing === undefined ? notSent(channel) : closed()
    queueMicrotask(() => settled(ticket, refusal))
  }

  return {
    name: backend,
    payloadBytes: maxPayloadBytes,

    async start(given) {
      const targets = { publishing: parseConnectionUrl(url), listening: parseConnectionUrl(listenUrl ?? url) }
      if (closing !== undefined) throw closed()
      events = given
      await new Promise<void>((resolve, reject) => {
        let starting = true
        const deadline = setTimeout(() => {
          starting = false
          down(new PubSubError('unavailable', 'PostgreSQL has not answered yet', { backend }))
          resolve()
        }, startMilliseconds)
        supervising = supervise(targets, (failure) => {
          if (!starting) return false
          starting = false
          clearTimeout(deadline)
          const fatal = ['closed', 'configuration', 'authentication'].some(
            (code) => isPubSubError(failure) && failure.code === code,
          )
          if (fatal) {
            stopping.abort(failure)
            reject(failure)
          } else resolve()
          return fatal
        })
      })
    },

    async subscribe(channel) {
      if (closing !== undefined) throw closed()
      await subscriptions.add(channel)
    },

    async unsubscribe(channel) {
      await subscriptions.remove(channel)
    },

    publish: publishBySending(send),
    send,

    async publishWith(sql, channel, payload) {
      if (closing !== undefined) throw closed()
      if (unicode === undefined) {
        const words = 'PostgreSQL has not been reached yet, so the encoding of its database is not known'
        throw new PubSubError('unavailable', words, { backend, channel, cause: downCause })
      }
      await transactionalPublisher.publish(sql, channel, payload, unicode)
    },

    async ping() {
      if (closing !== undefined) throw closed()
      if (!ready || publishing === undefined) {
        throw new PubSubError('unavailable', describeError(downCause ?? 'the backend is not connected'), {
          backend,
        })
      }
      try {
        await publishing.query((sql) => sql`select 1`)
      } catch (cause) {
        throw new PubSubError('unavailable', describeError(cause), { backend, cause })
      }
    },

    close() {
      return (closing ??= shutDown())
    },
  }
}

interface Targets {
  readonly publishing: ConnectionTarget
  readonly listening: ConnectionTarget
}
