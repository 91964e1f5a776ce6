import type { Published, Tally } from './orders.js'
import type { Sample } from './sample.js'

/** An order must be answered in its time, so a long run is many of so many messages. */
const orderMessages = 250_000
const tenths = 10
const megabyte = 1_048_576

export interface MemoryRun {
  readonly messages: number
  /** Publishes so many, and counts what arrives. */
  run(messages: number): Promise<{ readonly published: Published; readonly tally: Tally }>
  /** What lives in the two processes after a collection, in bytes. */
  look(): Promise<{ readonly publisher: number; readonly listener: number }>
}

/** What the processes hold after each tenth of a long run. The first tenth is also for what is made but once. */
export async function measureMemory({ messages, run, look }: MemoryRun): Promise<Sample> {
  const held: Record<'publisher' | 'listener', number[]> = { publisher: [], listener: [] }
  const sum = { failed: 0, lost: 0, doubled: 0, disordered: 0 }
  const tenth = Math.ceil(messages / tenths)
  let delivered = 0
  let milliseconds = 0
  for (let index = 0; index < tenths; index += 1) {
    for (let left = tenth; left > 0; left -= orderMessages) {
      const { published, tally } = await run(Math.min(left, orderMessages))
      delivered += tally.delivered
      milliseconds += tally.ended - published.begun
      sum.failed += published.failed
      sum.lost += Math.max(0, published.acknowledged - tally.delivered)
      sum.doubled += tally.doubled
      sum.disordered += tally.disordered
    }
    const { publisher, listener } = await look()
    held.publisher.push(publisher / megabyte)
    held.listener.push(listener / megabyte)
  }
  const publisher = course(held.publisher)
  const listener = course(held.listener)
  return {
    memoryGrowth: 100 * Math.max(publisher.growth, listener.growth),
    publisherFirst: publisher.first,
    publisherLast: publisher.last,
    publisherMost: publisher.most,
    listenerFirst: listener.first,
    listenerLast: listener.last,
    listenerMost: listener.most,
    delivered,
    perSecond: (1_000 * delivered) / milliseconds,
    ...sum,
  }
}

function course(values: readonly number[]): Readonly<Record<'first' | 'last' | 'most' | 'growth', number>> {
  const first = values[0] ?? 0
  const last = values.at(-1) ?? 0
  return { first, last, most: Math.max(...values), growth: last / first - 1 }
}
