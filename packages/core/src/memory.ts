import type { Backend, BackendEvents, BackendModule } from './backend.js'
import { PubSubError } from './errors.js'

/** A broker inside this process: everything published on it reaches every backend that was created from it. */
export interface MemoryBroker extends BackendModule {
  /** All that are made by one broker hear each other. */
  createBackend(): Backend
}

/**
 * Makes a broker of its own, for tests that must not hear one another.
 *
 * @example
 * const client = await createClient({ backend: 'memory', backends: { memory: () => createMemoryBroker() } })
 */
export function createMemoryBroker(): MemoryBroker {
  const subscribers = new Map<string, Set<BackendEvents>>()

  const deliver = (channel: string, payload: string): void => {
    for (const events of subscribers.get(channel) ?? []) events.message(channel, payload)
  }

  return {
    createBackend() {
      const channels = new Set<string>()
      let events: BackendEvents | undefined

      const open = (): BackendEvents => {
        if (events === undefined)
          throw new PubSubError('closed', 'the memory backend is not open', { backend: 'memory' })
        return events
      }

      const leave = (channel: string, left: BackendEvents): void => {
        channels.delete(channel)
        const members = subscribers.get(channel)
        members?.delete(left)
        if (members?.size === 0) subscribers.delete(channel)
      }

      return {
        name: 'memory',
        async start(given) {
          events = given
          given.state('ready')
        },
        async subscribe(channel) {
          const joined = open()
          channels.add(channel)
          const members = subscribers.get(channel) ?? new Set()
          subscribers.set(channel, members.add(joined))
        },
        async unsubscribe(channel) {
          leave(channel, open())
        },
        async publish(channel, payload) {
          open()
          // As over a network: a listener never runs inside the publisher's call.
          queueMicrotask(() => deliver(channel, payload))
        },
        async ping() {
          open()
        },
        async close() {
          if (events === undefined) return
          for (const channel of channels) leave(channel, events)
          events = undefined
        },
      }
    },
  }
}

const shared = createMemoryBroker()

/** The backend on the one broker that this process shares. Nothing leaves the process: for tests and single programs. */
export const createBackend = (): Backend => shared.createBackend()
