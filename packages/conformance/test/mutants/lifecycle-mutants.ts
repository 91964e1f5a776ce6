import { isPubSubError } from '@ps/core'
import { type Mutant, nextTurn, withEvents, withTold } from './mutant.js'

const openTimers: NodeJS.Timeout[] = []

/** Ends what the mutants that leave something behind have left. */
export function clearLeftovers(): void {
  for (const timer of openTimers.splice(0)) clearTimeout(timer)
}

const letGo = new Map<string, Set<() => Promise<void>>>()

export const lifecycleMutants: readonly Mutant[] = [
  {
    fault: 'does not unsubscribe',
    fails: ['unsubscribe() stops', 'no message is delivered after'],
    change: { backend: () => ({ unsubscribe: () => Promise.resolve() }) },
  },
  {
    fault: 'lets go of a channel a little late',
    fails: ['no message is delivered after'],
    change: {
      backend: ({ unsubscribe }) => ({
        async unsubscribe(channel) {
          await nextTurn()
          await unsubscribe(channel)
        },
      }),
    },
  },
  {
    fault: 'adds a handler with every subscription and takes none away',
    fails: ['a channel that is subscribed again'],
    change: {
      backend: ({ start, subscribe }) => {
        const handlers = new Map<string, number>()
        return {
          start: (events) =>
            start({
              ...events,
              message(channel, payload) {
                for (let count = handlers.get(channel) ?? 0; count > 0; count -= 1)
                  events.message(channel, payload)
              },
            }),
          subscribe(channel) {
            handlers.set(channel, (handlers.get(channel) ?? 0) + 1)
            return subscribe(channel)
          },
        }
      },
    },
  },
  {
    fault: 'has let go of a channel for ever',
    fails: [
      'a channel that is subscribed again',
      'unsubscribe() stops',
      'listeners that come and go at once',
    ],
    change: {
      backend: ({ subscribe, unsubscribe }) => {
        const gone = new Set<string>()
        return {
          subscribe: (channel) => (gone.has(channel) ? Promise.resolve() : subscribe(channel)),
          unsubscribe(channel) {
            gone.add(channel)
            return unsubscribe(channel)
          },
        }
      },
    },
  },
  {
    fault: 'stops listening when its last channel is let go',
    fails: ['the last channel may be let go'],
    change: {
      backend: ({ subscribe, unsubscribe }) => {
        let count = 0
        let stopped = false
        return {
          async subscribe(channel) {
            count += 1
            if (!stopped) await subscribe(channel)
          },
          unsubscribe(channel) {
            count -= 1
            stopped ||= count === 0
            return unsubscribe(channel)
          },
        }
      },
    },
  },
  {
    fault: 'answers one ping at a time only',
    fails: ['ping() resolves'],
    change: {
      backend: ({ ping }) => {
        let busy = false
        return {
          async ping() {
            if (busy) throw new Error('a ping is under way')
            busy = true
            await ping()
            busy = false
          },
        }
      },
    },
  },
  {
    fault: 'leaves a timer behind',
    fails: ['ping() resolves', 'close() is idempotent'],
    change: {
      backend: ({ start }) => ({
        start(events) {
          openTimers.push(setTimeout(() => {}, 60_000))
          return start(events)
        },
      }),
    },
  },
  {
    fault: 'cannot be closed twice',
    fails: ['close() is idempotent'],
    change: {
      backend: ({ close }) => {
        let closed = false
        return {
          async close() {
            if (closed) throw new Error('already closed')
            closed = true
            await close()
          },
        }
      },
    },
  },
  {
    fault: 'speaks after it was closed',
    fails: ['close() is idempotent', 'closing one instance'],
    change: {
      backend: withTold(({ close }, told) => ({
        async close() {
          await close()
          setImmediate(() => told()?.state('down', new Error('closed')))
        },
      })),
    },
  },
  {
    fault: 'takes messages after it was closed, and drops them',
    fails: ['after close() every call', 'what was published before close() is sent'],
    change: {
      backend: ({ publish }) => ({
        publish: (channel, payload) =>
          publish(channel, payload).catch((error: unknown) => {
            if (!isPubSubError(error, 'closed')) throw error
          }),
      }),
    },
  },
  {
    fault: 'answers a ping after it was closed',
    fails: ['after close() every call'],
    change: { backend: () => ({ ping: () => Promise.resolve() }) },
  },
  {
    fault: 'acknowledges what waits to be sent, and drops it when it closes',
    fails: ['what was published before close() is sent'],
    change: {
      backend: ({ publish, close }) => {
        let closed = false
        return {
          async publish(channel, payload) {
            // Closed already: as it should be.
            if (closed) return publish(channel, payload)
            setImmediate(() => {
              if (!closed) void publish(channel, payload).catch(() => {})
            })
          },
          close() {
            closed = true
            return close()
          },
        }
      },
    },
  },
  {
    fault: 'ends a subscribe() that is under way with an error without a code',
    fails: ['close() settles a subscribe()'],
    change: {
      backend: ({ subscribe, close }) => {
        let closed = false
        return {
          async subscribe(channel) {
            await nextTurn()
            if (closed) throw new Error('the socket has ended')
            await subscribe(channel)
          },
          close() {
            closed = true
            return close()
          },
        }
      },
    },
  },
  {
    fault: 'lets go of its channels for every instance when it closes',
    fails: ['closing one instance'],
    change: {
      backend: ({ subscribe, unsubscribe, close }) => {
        const own = new Set<string>()
        return {
          async subscribe(channel) {
            await subscribe(channel)
            own.add(channel)
            letGo.set(
              channel,
              (letGo.get(channel) ?? new Set()).add(() => unsubscribe(channel)),
            )
          },
          async close() {
            for (const channel of own)
              await Promise.allSettled([...(letGo.get(channel) ?? [])].map((leave) => leave()))
            await close()
          },
        }
      },
    },
  },
  {
    fault: 'takes a blocked event loop for a dead link',
    fails: ['an event loop that is blocked for 5 s'],
    change: {
      code: [
        'beats = setInterval(() => {',
        `let beat = performance.now()
        beats = setInterval(() => {
          if (performance.now() - beat > 3_000) socket.destroy(new Error('the broker has been mute for 3 s'))
          beat = performance.now()`,
      ],
    },
  },
  {
    fault: 'keeps to itself that it got what is not JSON',
    fails: ['a payload that is not JSON'],
    change: {
      backend: withEvents(({ message }) => ({
        message(channel, payload) {
          try {
            JSON.parse(payload)
          } catch {
            return
          }
          message(channel, payload)
        },
      })),
    },
  },
]
