import type { BenchMessage, Hear } from './adapter.js'
import { now } from './clock.js'
import type { Tally } from './orders.js'

/** Without a delivery for so long, what is missing counts as lost, in milliseconds. */
const silenceMilliseconds = 2_000
const lookMilliseconds = 50

/** Counts what arrives at each listener of each channel. */
export interface TallyKeeper {
  /** What the listener is to call. */
  hearOf(channel: number, listener: number): Hear
  /** The channels on which no listener has heard a probe. */
  unheard(): readonly number[]
  reset(): void
  tally(deliveries: number): Promise<Tally>
}

export function createTally(channels: number, listeners: number): TallyKeeper {
  const heard = new Set<number>()
  // By sequence, how many listeners have had it; of each listener of each channel, its newest.
  let counts = new Uint16Array(1 << 17)
  const newest = new Float64Array(channels * listeners)
  let latencies: number[] = []
  let delivered = 0
  let doubled = 0
  let disordered = 0
  let ended = 0

  const hear = (channel: number, place: number, { sequence, sent }: BenchMessage): void => {
    if (sequence < 0) {
      heard.add(channel)
      return
    }
    ended = now()
    if (sent > 0) latencies.push(ended - sent)
    if (sequence >= counts.length) {
      const larger = new Uint16Array(2 * sequence)
      larger.set(counts)
      counts = larger
    }
    const count = (counts[sequence] ?? 0) + 1
    counts[sequence] = count
    if (count > listeners) doubled += 1
    else delivered += 1
    if (sequence <= (newest[place] ?? 0)) disordered += 1
    else newest[place] = sequence
  }

  const reset = (): void => {
    counts.fill(0)
    newest.fill(-1)
    latencies = []
    delivered = 0
    doubled = 0
    disordered = 0
    ended = 0
  }
  reset()

  return {
    hearOf: (channel, listener) => (message) => hear(channel, channel * listeners + listener, message),
    unheard: () => Array.from({ length: channels }, (_, channel) => channel).filter((one) => !heard.has(one)),
    reset,
    async tally(deliveries) {
      const asked = now()
      await new Promise<void>((resolve) => {
        const look = (): boolean =>
          delivered >= deliveries || now() - Math.max(asked, ended) > silenceMilliseconds
        if (look()) return resolve()
        const looking = setInterval(() => {
          if (!look()) return
          clearInterval(looking)
          resolve()
        }, lookMilliseconds)
      })
      latencies.sort((a, b) => a - b)
      const at = (share: number): number =>
        latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
      return {
        delivered,
        doubled,
        disordered,
        ended,
        ...(latencies.length > 0 && { latency: { p50: at(0.5), p99: at(0.99), max: at(1) } }),
      }
    },
  }
}
