import type { Backend, Send } from '@ps/core'
import { type Mutant, nextTurn, withEvents, withNames, withTold } from './mutant.js'

const kept = new Map<string, string[]>()
const everywhere = new Set<string>()

const sending =
  ({ publish }: Backend): Send =>
  (channel, payload, settled, ticket) =>
    void publish(channel, payload).then(
      () => settled(ticket),
      (error: Error) => settled(ticket, error),
    )

export const deliveryMutants: readonly Mutant[] = [
  {
    fault: 'delivers twice',
    fails: [
      'every subscribed instance gets',
      'equal messages',
      'a channel that is subscribed again',
      'every listener of a channel gets each message once',
    ],
    change: {
      backend: withEvents(({ message }) => ({
        message(channel, payload) {
          message(channel, payload)
          message(channel, payload)
        },
      })),
    },
  },
  {
    fault: 'does not hear itself',
    fails: ['every JSON value', 'every subscribed instance gets', 'ping() resolves'],
    change: {
      backend: ({ start, publish }) => {
        const own: string[] = []
        return {
          start: (events) =>
            start({
              ...events,
              message(channel, payload) {
                const index = own.indexOf(payload)
                if (index === -1) events.message(channel, payload)
                else own.splice(index, 1)
              },
            }),
          publish(channel, payload) {
            own.push(payload)
            return publish(channel, payload)
          },
        }
      },
    },
  },
  {
    fault: 'loses one message of ten thousand',
    fails: ['10,000 messages published'],
    change: {
      backend: withEvents(({ message }) => ({
        message: (channel, payload) => (payload === '5000' ? undefined : message(channel, payload)),
      })),
    },
  },
  {
    fault: 'drops what comes too fast',
    fails: ['10,000 messages published', '5,000 messages of 50', 'what was published before close() is sent'],
    change: {
      backend: withEvents(({ message }) => {
        let now = 0
        return {
          message(channel, payload) {
            now += 1
            if (now === 1) setImmediate(() => (now = 0))
            if (now <= 20) message(channel, payload)
          },
        }
      }),
    },
  },
  {
    fault: 'delivers the newest of what has arrived first',
    fails: [
      '10,000 messages published',
      '20 channels',
      'two instances that publish',
      'a small message published',
    ],
    change: {
      backend: withEvents(({ message }) => {
        let arrived: [string, string][] = []
        return {
          message(channel, payload) {
            arrived.unshift([channel, payload])
            if (arrived.length > 1) return
            setImmediate(() => {
              const all = arrived
              arrived = []
              for (const one of all) message(...one)
            })
          },
        }
      }),
    },
  },
  {
    fault: 'lets small messages overtake large ones',
    fails: ['messages of 10 bytes and of 20 kB', 'a small message published beside large ones'],
    change: {
      backend: ({ publish }) => ({
        async publish(channel, payload) {
          if (payload.length > 1_000) await nextTurn()
          await publish(channel, payload)
        },
      }),
    },
  },
  {
    fault: 'collapses equal messages',
    fails: ['equal messages', 'payloads that differ in nothing but'],
    change: {
      backend: ({ publish }) => {
        const recent = new Set<string>()
        return {
          async publish(channel, payload) {
            const key = `${channel} ${payload}`
            if (recent.has(key)) return
            recent.add(key)
            setImmediate(() => recent.delete(key))
            await publish(channel, payload)
          },
        }
      },
    },
  },
  {
    fault: 'swallows what looks like a part',
    fails: ['user data that looks like control data'],
    change: {
      backend: withEvents(({ message }) => ({
        message: (channel, payload) =>
          payload.startsWith('{"$ps.part":[') ? undefined : message(channel, payload),
      })),
    },
  },
  {
    fault: 'brings what was published before the subscription',
    fails: ['what was published before the', 'unsubscribe() stops'],
    change: {
      backend: withTold(({ subscribe, publish }, told) => ({
        async subscribe(channel) {
          await subscribe(channel)
          for (const payload of kept.get(channel) ?? []) told()?.message(channel, payload)
        },
        async publish(channel, payload) {
          kept.set(channel, [...(kept.get(channel) ?? []), payload])
          await publish(channel, payload)
        },
      })),
    },
  },
  {
    fault: 'confirms a subscription too early',
    fails: ['once subscribe() has resolved', '1,000 channels'],
    change: {
      backend: ({ subscribe }) => ({
        async subscribe(channel) {
          setImmediate(() => void subscribe(channel).catch(() => {}))
        },
      }),
    },
  },
  {
    fault: 'delivers the messages of every channel',
    fails: ['a message arrives on its own channel only'],
    change: {
      backend: ({ subscribe, publish }) => ({
        subscribe: async (channel) => {
          await subscribe(channel)
          everywhere.add(channel)
        },
        publish: async (channel, payload) => {
          for (const other of new Set([...everywhere, channel])) await publish(other, payload)
        },
      }),
    },
  },
  {
    fault: 'tells a gap where there was none',
    fails: ['a message arrives on its own channel only', 'closing one instance'],
    change: {
      backend: withTold(({ subscribe }, told) => ({
        async subscribe(channel) {
          await subscribe(channel)
          told()?.gap('none')
        },
      })),
    },
  },
  {
    fault: 'settles what it sends within the call',
    fails: ['a send(), where there is one'],
    change: {
      backend: ({ publish }) => ({
        send(channel, payload, settled, ticket) {
          publish(channel, payload).catch(() => {})
          settled(ticket)
        },
      }),
    },
  },
  {
    fault: 'settles what it sends twice',
    fails: ['a send(), where there is one'],
    change: {
      backend: (backend) => ({
        send(channel, payload, settled, ticket) {
          sending(backend)(channel, payload, settled, ticket)
          queueMicrotask(() => settled(ticket))
        },
      }),
    },
  },
  {
    fault: 'sends later than it publishes',
    fails: ['a send(), where there is one'],
    change: {
      backend: (backend) => ({
        send: (...given) => void setImmediate(() => sending(backend)(...given)),
      }),
    },
  },
  {
    fault: 'damages characters beyond Latin-1',
    fails: ['every JSON value', 'messages of 7,990 to 8,010 bytes', 'a message of exactly 1 MiB'],
    change: {
      backend: withEvents(({ message }) => ({
        message: (channel, payload) => message(channel, Buffer.from(payload, 'latin1').toString('latin1')),
      })),
    },
  },
  {
    fault: 'loses messages of 8,000 bytes and more',
    fails: ['messages of 7,990 to 8,010 bytes', 'a message of exactly 1 MiB'],
    change: {
      backend: ({ publish }) => ({
        publish: (channel, payload) =>
          Buffer.byteLength(payload) < 8_000 ? publish(channel, payload) : Promise.resolve(),
      }),
    },
  },
  {
    fault: 'cuts channel names',
    fails: ['channel names of 1 to 255 bytes', 'two names that differ only in the last'],
    change: { backend: withNames((channel) => channel.slice(0, 63)) },
  },
  {
    fault: 'folds the case of channel names',
    fails: ['channel names may hold any character'],
    change: { backend: withNames((channel) => channel.toLowerCase()) },
  },
  {
    fault: 'normalizes channel names',
    fails: ['channel names may hold any character'],
    change: { backend: withNames((channel) => channel.normalize().trim()) },
  },
  {
    fault: 'takes no more than 500 channels',
    fails: ['1,000 channels'],
    change: {
      backend: ({ subscribe }) => {
        let taken = 0
        return {
          async subscribe(channel) {
            taken += 1
            if (taken <= 500) await subscribe(channel)
          },
        }
      },
    },
  },
]
