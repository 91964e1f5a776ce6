import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Client, createClient, silentLogger } from '../../src/index.js'
import { createSimulatedBroker } from './simulated-broker.js'

const minute = 60_000

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** One timer after the other, each with all that follows from it, as in a process. */
async function advance(milliseconds: number): Promise<void> {
  await turn()
  const until = Date.now() + milliseconds
  const end = setTimeout(() => {}, milliseconds)
  while (Date.now() < until) {
    vi.advanceTimersToNextTimer()
    await turn()
  }
  clearTimeout(end)
}

/** A publisher and another one, and what a listener of both is told of the former. */
async function openWorld() {
  const broker = createSimulatedBroker('first', { chance: () => 0.5, onLost: () => {} })
  const open = async (name: string): Promise<Client> => {
    const opened: Client[] = []
    void createClient({
      backend: 'first',
      backends: { first: () => broker.module(name) },
      environment: {},
      log: silentLogger,
      recovery: true,
    }).then((client) => opened.push(client))
    // Recovery is a module that is loaded at the first client, which takes a while that is none of this clock's.
    for (;;) {
      const [client] = opened
      if (client !== undefined) return client
      await advance(10)
    }
  }
  const [publisher, other, listener] = [await open('publisher'), await open('other'), await open('listener')]
  const told: unknown[] = []
  const listening = listener.listen('news', (message) => message === 'other' || told.push(message), {
    onGap: () => told.push('gap'),
  })
  await advance(10)
  await listening
  const publish = async (client: Client, message: unknown): Promise<void> => {
    const published = client.publish('news', message)
    await advance(10)
    expect(await published).toBe(true)
  }
  return {
    broker,
    link: broker.link('publisher'),
    told,
    publish: (message: unknown) => publish(publisher, message),
    /** Another publisher is heard of, which is when those that left long ago are forgotten. */
    publishOther: () => publish(other, 'other'),
    async close(): Promise<void> {
      const closing = Promise.all([publisher, other, listener].map((client) => client.close()))
      await advance(10_000)
      await closing
    },
  }
}

describe('a publisher that was forgotten', () => {
  it('because it was away for minutes is heard again, and nothing of it twice', async () => {
    const { link, told, publish, publishOther, close } = await openWorld()
    for (const message of [1, 2, 3]) await publish(message)
    link.cut('both', 6 * minute)
    await advance(5.5 * minute)
    await publishOther()
    await advance(minute)
    await publish(4)
    await advance(5_000)
    await close()
    expect(told.filter((one) => one !== 'gap')).toEqual([1, 2, 3, 4])
  })

  it('gets what it publishes then to its listeners although the broker loses it', async () => {
    const { broker, link, told, publish, publishOther, close } = await openWorld()
    for (const message of [1, 2, 3]) await publish(message)
    link.cut('both', 6 * minute)
    await advance(5.5 * minute)
    await publishOther()
    await advance(minute)
    told.length = 0
    broker.link('listener').lose(0, 1)
    await publish(4)
    await advance(1_000)
    await publish(5)
    await advance(5_000)
    await close()
    expect(told).toEqual([4, 5])
  })
})

describe('a publisher that stood still for seconds, and is idle since', () => {
  it('is not forgotten: minutes later nothing of it is heard twice', async () => {
    const { link, told, publish, publishOther, close } = await openWorld()
    for (const message of [1, 2, 3]) await publish(message)
    // Its heartbeat says that it is busy; then it is silent for so long that it counts as lost.
    await advance(600)
    link.freeze()
    await advance(4_900)
    link.thaw()
    await advance(5.5 * minute)
    await publishOther()
    await advance(1_000)
    await publish(4)
    await advance(5_000)
    await close()
    expect(told.filter((one) => one !== 'gap')).toEqual([1, 2, 3, 4])
  })
})
