import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@ps/core'
import type { ChannelPlan } from './stream-plan.js'

const tickMilliseconds = 20
/** Acknowledged before more is given to the client. */
const atOnce = 500

/** Publishes on all channels, at their rates, and numbers the messages of each. */
export interface StreamPublisher {
  /** How many messages have been given to a channel so far. */
  published(channel: string): number
  readonly total: number
  /** Messages that are not known to be accepted. */
  readonly refused: number
  /** Publishes what is to be there before it begins. */
  prepare(): Promise<void>
  /** Publishes until the time is over, in milliseconds since 1970, and all is acknowledged. */
  run(until: number, signal: AbortSignal): Promise<void>
}

export function createStreamPublisher(client: Client, channels: readonly ChannelPlan[]): StreamPublisher {
  const sequences = new Map(channels.map(({ name }) => [name, 0]))
  let total = 0
  let refused = 0

  const publish = async ({ name, size }: ChannelPlan): Promise<void> => {
    const sequence = sequences.get(name) ?? 0
    sequences.set(name, sequence + 1)
    total += 1
    if (!(await client.publish(name, { sequence, filler: 'x'.repeat(size) }))) refused += 1
  }

  return {
    published: (channel) => sequences.get(channel) ?? 0,
    get total() {
      return total
    },
    get refused() {
      return refused
    },
    async prepare() {
      for (const channel of channels) {
        for (let left = channel.before; left > 0; left -= atOnce)
          await Promise.all(Array.from({ length: Math.min(left, atOnce) }, () => publish(channel)))
      }
    },
    async run(until, signal) {
      const begun = Date.now()
      const sent = new Map(channels.map(({ name }) => [name, 0]))
      const pending = new Set<Promise<void>>()
      for (let now = begun; now < until; now = Date.now()) {
        for (const channel of channels) {
          const due = ((now - begun) * channel.rate) / 1_000
          for (let count = sent.get(channel.name) ?? 0; count < due; count += 1) {
            sent.set(channel.name, count + 1)
            const publishing = publish(channel)
            pending.add(publishing)
            void publishing.finally(() => pending.delete(publishing))
          }
        }
        await sleep(tickMilliseconds, undefined, { signal })
      }
      await Promise.all(pending)
    },
  }
}
