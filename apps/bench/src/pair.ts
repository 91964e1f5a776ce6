import { setTimeout as sleep } from 'node:timers/promises'
import type { Contestant } from './contestants.js'
import { measureMemory } from './measure-memory.js'
import type { Measure } from './measure.js'
import type { Load, Published, Tally } from './orders.js'
import type { Sample } from './sample.js'
import { serverCpu } from './server-cpu.js'
import { startWorker } from './start-worker.js'

export interface BenchServer {
  readonly url: string
  readonly processId: number
}

/** The publisher and the listener of a contestant, each a process that stays while the connections come and go. */
export interface Pair {
  readonly contestant: Contestant
  /** One round. */
  measure(measure: Measure): Promise<Sample>
  /** The CPU that both use while nobody publishes. */
  idle(milliseconds: number): Promise<Sample>
  stop(): Promise<void>
}

const probeMilliseconds = 20
const probeWithinMilliseconds = 20_000

export async function startPair(
  contestant: Contestant,
  server: BenchServer,
  standbyUrl: string | undefined,
  warmMilliseconds: number,
  nodeArguments: readonly string[] = [],
): Promise<Pair> {
  const start = { backend: contestant.backend, contestant: contestant.name }
  const [publisher, listener] = await Promise.all([
    startWorker({ ...start, role: 'publish' }, nodeArguments),
    startWorker({ ...start, role: 'listen' }, nodeArguments),
  ])
  const both = [publisher, listener]

  const connect = async (): Promise<void> => {
    await Promise.all(both.map((worker) => worker.order({ kind: 'connect', url: server.url, standbyUrl })))
  }
  const disconnect = async (): Promise<void> => {
    await Promise.all(both.map((worker) => worker.order({ kind: 'disconnect' })))
  }

  /** Publishes on the channels until each has been heard: not every library says when it listens. */
  const probe = async (channels: number, first = 0): Promise<void> => {
    const until = Date.now() + probeWithinMilliseconds
    const asked = Array.from({ length: channels }, (_, channel) => first + channel)
    let unheard: readonly number[] = asked
    while (unheard.length > 0) {
      if (Date.now() > until) throw new Error(`${contestant.name} on ${contestant.backend} hears nothing`)
      await publisher.order({ kind: 'probe', channels: unheard })
      await sleep(probeMilliseconds)
      const silent = new Set(await listener.order({ kind: 'unheard' }))
      unheard = asked.filter((channel) => silent.has(channel))
    }
  }

  const run = async (load: Load, listeners: number): Promise<{ published: Published; tally: Tally }> => {
    await listener.order({ kind: 'count' })
    const published = await publisher.order({ kind: 'publish', load })
    const tally = await listener.order({ kind: 'tally', deliveries: published.acknowledged * listeners })
    if (published.failed > 0) process.stderr.write(`${contestant.name}: ${published.failure}\n`)
    return { published, tally }
  }

  const clientCpu = async (): Promise<number> => {
    const [one, other] = await Promise.all(both.map((worker) => worker.order({ kind: 'cpu' })))
    return (one ?? 0) + (other ?? 0)
  }

  const measureLoad = async ({ listeners }: Measure, load: Load): Promise<Sample> => {
    const { rate: _, messages, ...flood } = load
    const warm = { ...flood, milliseconds: warmMilliseconds }
    await run(messages === undefined ? warm : { ...warm, messages: Math.ceil(messages / 4) }, listeners)
    const clientBefore = await clientCpu()
    const serverBefore = serverCpu(server.processId)
    const { published, tally } = await run(load, listeners)
    const client = (await clientCpu()) - clientBefore
    const serverAfter = serverCpu(server.processId)
    const { acknowledged, begun } = published
    const deliveriesPerSecond = tally.delivered === 0 ? 0 : (1_000 * tally.delivered) / (tally.ended - begun)
    return {
      perSecond: deliveriesPerSecond / listeners,
      deliveriesPerSecond,
      ...tally.latency,
      clientCpu: (1_000 * client) / acknowledged,
      ...(serverBefore !== undefined &&
        serverAfter !== undefined && { serverCpu: (1_000 * (serverAfter - serverBefore)) / acknowledged }),
      failed: published.failed,
      lost: Math.max(0, acknowledged * listeners - tally.delivered),
      doubled: tally.doubled,
      disordered: tally.disordered,
    }
  }

  const look = async (): Promise<{ publisher: number; listener: number }> => ({
    publisher: await publisher.order({ kind: 'memory' }),
    listener: await listener.order({ kind: 'memory' }),
  })

  return {
    contestant,
    async measure(measure) {
      await connect()
      try {
        const { channels, listeners, load, showsMemory = false } = measure
        const before = load === undefined ? await listener.order({ kind: 'memory' }) : 0
        const { milliseconds } = await listener.order({ kind: 'listen', channels, listeners })
        if (load === undefined) {
          await probe(1)
          const after = await listener.order({ kind: 'memory' })
          return { subscribeMilliseconds: milliseconds, channelBytes: (after - before) / channels }
        }
        await probe(load.channels, load.firstChannel)
        const { messages } = load
        if (messages === undefined || !showsMemory) return await measureLoad(measure, load)
        return await measureMemory({
          messages,
          run: (count) => run({ ...load, messages: count }, listeners),
          look,
        })
      } finally {
        await disconnect()
      }
    },
    async idle(milliseconds) {
      await connect()
      try {
        await listener.order({ kind: 'listen', channels: 1, listeners: 1 })
        await probe(1)
        const before = await clientCpu()
        await sleep(milliseconds)
        return { idleCpu: ((await clientCpu()) - before) / (milliseconds / 1_000) }
      } finally {
        await disconnect()
      }
    },
    async stop() {
      await Promise.all(both.map((worker) => worker.stop()))
    },
  }
}
