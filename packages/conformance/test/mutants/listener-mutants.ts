import type { Client, ListenOptions, Subscription } from '@ps/core'
import { type Mutant, nextTurn, withNames } from './mutant.js'

type Callback = (message: unknown) => unknown
type Listen = (channel: string, callback: Callback, options?: ListenOptions) => Promise<Subscription>

/** A client that listens otherwise. */
const withListen =
  (change: (listen: Listen, client: Client) => Listen) =>
  (client: Client): Client => ({ ...client, listen: change(client.listen, client) })

const withOptions = (change: (options: ListenOptions) => ListenOptions): ((client: Client) => Client) =>
  withListen(
    (listen) =>
      (channel, callback, options = {}) =>
        listen(channel, callback, change(options)),
  )

const withCallback = (change: (callback: Callback) => Callback): ((client: Client) => Client) =>
  withListen((listen) => (channel, callback, options) => listen(channel, change(callback), options))

const lateSignal = (signal: AbortSignal): AbortSignal => {
  const late = new AbortController()
  const abort = (): void => void setImmediate(() => late.abort(signal.reason))
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort)
  return late.signal
}

/** Notices, without asking, whether the client has ever been down. */
const watchDown = (client: Client): (() => boolean) => {
  let wasDown = false
  client.on('state', ({ state }) => {
    wasDown ||= state === 'down'
  })
  return () => wasDown
}

export const listenerMutants: readonly Mutant[] = [
  {
    fault: 'takes what stands before a colon off a channel name',
    fails: ['two prefixes'],
    change: { backend: withNames((channel) => channel.replace(/^.*:/, '')) },
  },
  {
    fault: 'ends all listeners of a channel when one leaves',
    fails: ['every listener of a channel gets each message once'],
    change: {
      client: withListen((listen) => {
        const members = new Map<string, Subscription[]>()
        return async (channel, callback, options) => {
          const subscription = await listen(channel, callback, options)
          const siblings = members.get(channel) ?? []
          members.set(channel, siblings)
          siblings.push(subscription)
          const unsubscribe = async (): Promise<void> => {
            await Promise.all(siblings.map((sibling) => sibling.unsubscribe()))
          }
          return { ...subscription, unsubscribe }
        }
      }),
    },
  },
  {
    fault: 'ignores the signal',
    fails: [
      'a signal that was aborted before',
      'a signal that is aborted while',
      'a signal that is aborted, once or twice',
      'a signal that is aborted inside',
    ],
    change: { client: withOptions((options) => ({ ...options, signal: undefined })) },
  },
  {
    fault: 'obeys the signal a turn late',
    fails: [
      'a signal that was aborted before',
      'a signal that is aborted, once or twice',
      'a signal that is aborted inside',
    ],
    change: {
      client: withOptions(({ signal, ...options }) => ({
        ...options,
        signal: signal && lateSignal(signal),
      })),
    },
  },
  {
    fault: 'forgets the signals when the broker was lost',
    fails: ['a listener that is aborted after a reconnect'],
    change: {
      client: withListen((listen, client) => {
        const wasDown = watchDown(client)
        return (channel, callback, { signal, ...options } = {}) => {
          const own = new AbortController()
          signal?.addEventListener('abort', () => {
            if (!wasDown()) own.abort(signal.reason)
          })
          return listen(channel, callback, { ...options, signal: own.signal })
        }
      }),
    },
  },
  {
    fault: 'has lost the callback of a listen() that had to wait for the broker',
    fails: ['listen() waits for a broker', 'each listener that was live is told'],
    change: {
      client: withListen((listen, client) => {
        const wasDown = watchDown(client)
        return (channel, callback, options) => listen(channel, wasDown() ? () => {} : callback, options)
      }),
    },
  },
  {
    fault: 'subscribes already when messages() is called',
    fails: ['messages() subscribes at the first next()'],
    change: {
      client: (client) => ({
        ...client,
        messages(channel, options) {
          const iterator = client.messages(channel, options)
          const pulled = [iterator.next()]
          return { ...iterator, next: () => pulled.pop() ?? iterator.next() }
        },
      }),
    },
  },
  {
    fault: 'does not report what a callback throws',
    fails: ['a callback that throws, rejects'],
    change: {
      client: withCallback((callback) => async (message) => {
        try {
          await callback(message)
        } catch {}
      }),
    },
  },
  {
    fault: 'runs all callbacks one after the other',
    fails: ['a callback that throws, rejects', 'a listener that is too slow', 'with drop-newest'],
    change: {
      client: withListen((listen) => {
        let last: Promise<unknown> = Promise.resolve()
        return (channel, callback, options) =>
          listen(
            channel,
            (message) => {
              const call = async (before: Promise<unknown>): Promise<void> => {
                await before
                await callback(message)
              }
              const called = call(last)
              last = called.catch(() => {})
              return called
            },
            options,
          )
      }),
    },
  },
  {
    fault: 'does not wait for a callback',
    fails: ['a listener that is too slow', 'a callback that takes 100 ms', 'with drop-newest'],
    change: { client: withCallback((callback) => (message) => void callback(message)) },
  },
  {
    fault: 'tells a slow listener of one lost message too few',
    fails: ['a listener that is too slow', 'with drop-newest'],
    change: {
      client: withOptions(({ onGap, ...options }) => ({
        ...options,
        onGap: ({ missed, ...gap }) => onGap?.(missed === undefined ? gap : { ...gap, missed: missed - 1 }),
      })),
    },
  },
  {
    fault: 'counts no dropped messages',
    fails: ['a callback that takes 100 ms'],
    change: {
      client: (client) => ({
        ...client,
        async health() {
          const health = await client.health()
          return { ...health, counts: { ...health.counts, dropped: 0 } }
        },
      }),
    },
  },
  {
    fault: 'ignores what should be done when a queue is full',
    fails: ['with drop-newest'],
    change: { client: withOptions((options) => ({ ...options, overflow: undefined })) },
  },
  {
    fault: 'publishes undefined as null',
    fails: ['what cannot be published is refused'],
    change: {
      client: (client) => ({
        ...client,
        publish: (channel, message) => client.publish(channel, message ?? null),
      }),
    },
  },
  {
    fault: 'forgets what waits to be sent when it is closed',
    fails: ['close() sends what was published before'],
    change: {
      client(client) {
        let isClosed = false
        return {
          ...client,
          async publish(channel, message) {
            // Closed already: as it should be.
            if (isClosed) return client.publish(channel, message)
            await nextTurn()
            return !isClosed && client.publish(channel, message)
          },
          close() {
            isClosed = true
            return client.close()
          },
        }
      },
    },
  },
  {
    fault: 'ends a loop over messages() with an error when it is closed',
    fails: ['a loop over messages()'],
    change: {
      client(client) {
        let isClosed = false
        return {
          ...client,
          messages(channel, options) {
            const iterator = client.messages(channel, options)
            const next: typeof iterator.next = async () => {
              const result = await iterator.next()
              if (isClosed) throw new Error('closed')
              return result
            }
            return { ...iterator, next }
          },
          close() {
            isClosed = true
            return client.close()
          },
        }
      },
    },
  },
]
