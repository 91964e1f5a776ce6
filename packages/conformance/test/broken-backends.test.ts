import { type Backend, type BackendEvents, isPubSubError } from '@ps/core'
import { createMemoryBroker } from '@ps/core/memory'
import { afterEach, expect, it } from 'vitest'
import { delivery } from '../src/delivery.js'
import { lifecycle } from '../src/lifecycle.js'
import { limits } from '../src/limits.js'
import { runCase } from '../src/run-case.js'

/** What is wrong with a backend, as changes to a sound one. */
type Break = (backend: Backend) => Partial<Backend>

const cases = [...delivery, ...limits, ...lifecycle]
const timers: NodeJS.Timeout[] = []
afterEach(() => {
  for (const timer of timers.splice(0)) clearTimeout(timer)
})

/** A backend that passes other events on than it gets. */
const withEvents =
  (change: (events: BackendEvents) => Partial<BackendEvents>): Break =>
  ({ start }) => ({ start: (events) => start({ ...events, ...change(events) }) })

const withNames =
  (change: (channel: string) => string): Break =>
  ({ subscribe, unsubscribe, publish, start }) => {
    const names = new Map<string, string>()
    return {
      start: (events) =>
        start({
          ...events,
          message: (channel, payload) => events.message(names.get(channel) ?? channel, payload),
        }),
      subscribe(channel) {
        names.set(change(channel), channel)
        return subscribe(change(channel))
      },
      unsubscribe: (channel) => unsubscribe(change(channel)),
      publish: (channel, payload) => publish(change(channel), payload),
    }
  }

const broken: { fault: string; breaks: Break; titles: string[] }[] = [
  {
    fault: 'delivers twice',
    breaks: withEvents(({ message }) => ({
      message(channel, payload) {
        message(channel, payload)
        message(channel, payload)
      },
    })),
    titles: ['every subscribed instance gets', 'equal messages', 'a channel that is subscribed again'],
  },
  {
    fault: 'loses a message',
    breaks: withEvents(({ message }) => ({
      message: (channel, payload) => (payload === '5000' ? undefined : message(channel, payload)),
    })),
    titles: ['10,000 messages'],
  },
  {
    fault: 'lets small messages overtake large ones',
    breaks: ({ publish }) => ({
      async publish(channel, payload) {
        if (payload.length > 1_000) await new Promise((resolve) => setImmediate(resolve))
        await publish(channel, payload)
      },
    }),
    titles: ['messages of 10 bytes and of 20 kB', 'a small message published beside large ones'],
  },
  {
    fault: 'collapses equal messages',
    breaks: ({ publish }) => {
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
    titles: ['equal messages', 'payloads that differ in nothing but'],
  },
  {
    fault: 'swallows what looks like a part',
    breaks: withEvents(({ message }) => ({
      message: (channel, payload) =>
        payload.startsWith('{"$ps.part":[') ? undefined : message(channel, payload),
    })),
    titles: ['user data that looks like control data'],
  },
  {
    fault: 'keeps what was published before the subscription',
    breaks: ({ subscribe, publish, start }) => {
      let told: BackendEvents | undefined
      return {
        start(events) {
          told = events
          return start(events)
        },
        async subscribe(channel) {
          await subscribe(channel)
          for (const payload of kept.get(channel) ?? []) told?.message(channel, payload)
        },
        async publish(channel, payload) {
          kept.set(channel, [...(kept.get(channel) ?? []), payload])
          await publish(channel, payload)
        },
      }
    },
    titles: ['what was published before', 'unsubscribe() stops'],
  },
  {
    fault: 'confirms a subscription too early',
    breaks: ({ subscribe }) => ({
      async subscribe(channel) {
        setTimeout(() => void subscribe(channel).catch(() => {}), 10)
      },
    }),
    titles: ['once subscribe() has resolved'],
  },
  {
    fault: 'damages bytes beyond ASCII',
    breaks: withEvents(({ message }) => ({
      message: (channel, payload) => message(channel, Buffer.from(payload, 'latin1').toString('latin1')),
    })),
    titles: ['every JSON value', 'messages of 7,990 to 8,010 bytes', 'a message of exactly 1 MiB'],
  },
  {
    fault: 'loses messages of 8,000 bytes and more',
    breaks: ({ publish }) => ({
      publish: (channel, payload) =>
        Buffer.byteLength(payload) < 8_000 ? publish(channel, payload) : Promise.resolve(),
    }),
    titles: ['messages of 7,990 to 8,010 bytes', 'a message of exactly 1 MiB'],
  },
  {
    fault: 'cuts channel names',
    breaks: withNames((channel) => channel.slice(0, 63)),
    titles: ['channel names of 1 to 255 bytes', 'two names that differ only in the last'],
  },
  {
    fault: 'folds the case of channel names',
    breaks: withNames((channel) => channel.toLowerCase()),
    titles: ['channel names may hold any character'],
  },
  {
    fault: 'normalizes channel names',
    breaks: withNames((channel) => channel.normalize().trim()),
    titles: ['channel names may hold any character'],
  },
  {
    fault: 'delivers the messages of every channel',
    breaks: ({ subscribe, publish }) => ({
      subscribe: async (channel) => {
        await subscribe(channel)
        everywhere.add(channel)
      },
      publish: async (channel, payload) => {
        for (const other of new Set([...everywhere, channel])) await publish(other, payload)
      },
    }),
    titles: ['a message arrives on its own channel only'],
  },
  {
    fault: 'does not unsubscribe',
    breaks: () => ({ unsubscribe: () => Promise.resolve() }),
    titles: ['unsubscribe() stops', 'no message is delivered after'],
  },
  {
    fault: 'forgets to send what waits when it closes',
    breaks: ({ publish, close }) => {
      let closed = false
      return {
        async publish(channel, payload) {
          await new Promise((resolve) => setImmediate(resolve))
          if (!closed) await publish(channel, payload)
        },
        close() {
          closed = true
          return close()
        },
      }
    },
    titles: ['what was published before close() is sent'],
  },
  {
    fault: 'takes messages after it was closed',
    breaks: ({ publish }) => ({
      publish: (channel, payload) =>
        publish(channel, payload).catch((error: unknown) => {
          if (!isPubSubError(error, 'closed')) throw error
        }),
    }),
    titles: ['after close() every call', 'what was published before close() is sent'],
  },
  {
    fault: 'cannot be closed twice',
    breaks: ({ close }) => {
      let closed = false
      return {
        async close() {
          if (closed) throw new Error('already closed')
          closed = true
          await close()
        },
      }
    },
    titles: ['close() is idempotent'],
  },
  {
    fault: 'leaves a timer behind',
    breaks: ({ start }) => ({
      start(events) {
        timers.push(setTimeout(() => {}, 60_000))
        return start(events)
      },
    }),
    titles: ['ping() resolves'],
  },
  {
    fault: 'speaks after it was closed',
    breaks: ({ start, close }) => {
      let told: BackendEvents | undefined
      return {
        start(events) {
          told = events
          return start(events)
        },
        async close() {
          await close()
          setImmediate(() => told?.state('down', new Error('closed')))
        },
      }
    },
    titles: ['close() is idempotent'],
  },
  {
    fault: 'tells of a gap where there was none',
    breaks: ({ start, subscribe }) => {
      let told: BackendEvents | undefined
      return {
        start(events) {
          told = events
          return start(events)
        },
        async subscribe(channel) {
          await subscribe(channel)
          told?.gap('none')
        },
      }
    },
    titles: ['a message arrives on its own channel only'],
  },
]

const kept = new Map<string, string[]>()
const everywhere = new Set<string>()

const faults = broken.flatMap(({ fault, breaks, titles }) =>
  titles.map((title) => ({ fault, breaks, title })),
)

for (const { fault, breaks, title } of faults) {
  it(`a backend that ${fault} fails "${title} …"`, async () => {
    const found = cases.find((one) => one.title.startsWith(title))
    if (found === undefined) throw new Error('there is no such case')
    const broker = createMemoryBroker()
    const create = (): Backend => {
      const sound = broker.createBackend()
      return { ...sound, ...breaks(sound) }
    }
    await expect(runCase(found, { create, patience: 300 })).rejects.toThrow()
  })
}
