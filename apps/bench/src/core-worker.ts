import {
  type Backend,
  type BackendEvents,
  createClient,
  describeError,
  type Settled,
  silentLogger,
} from '@ps/core'
import type { Row } from './results.js'
import type { Sample } from './sample.js'

// The client alone, over a backend that does nothing: what it adds to a message, beside what JSON costs.

export interface CoreOptions {
  readonly rounds: number
  /** Of each round of each, in milliseconds. */
  readonly milliseconds: number
}

const inFlight = 1_000
const manyChannels = 10_000
const message = { sequence: 12_345, sent: 0, filler: 'x'.repeat(58) }
const pace = 256

/** Delivers inside the call: no network, no queue. It settles in one loop what came in one turn, as a batch is settled. */
function createBackend(): Backend {
  let events: BackendEvents | undefined
  let sent: { readonly settled: Settled; readonly ticket: unknown }[] = []
  const settleAll = (): void => {
    const all = sent
    sent = []
    for (const { settled, ticket } of all) settled(ticket)
  }
  const done = Promise.resolve()
  return {
    name: 'nothing',
    async start(given) {
      events = given
      given.state('ready')
    },
    subscribe: () => done,
    unsubscribe: () => done,
    publish(channel, payload) {
      events?.message(channel, payload)
      return done
    },
    send(channel, payload, settled, ticket) {
      events?.message(channel, payload)
      if (sent.length === 0) queueMicrotask(settleAll)
      sent.push({ settled, ticket })
    },
    ping: () => done,
    close: () => done,
  }
}

const open = (): ReturnType<typeof createClient<Record<string, typeof message>>> =>
  createClient({
    backend: 'nothing',
    fallback: 'none',
    backends: { nothing: () => ({ createBackend }) },
    environment: {},
    log: silentLogger,
  })

const perMessage = (count: number, begun: number): number => ((performance.now() - begun) * 1e6) / count

function stringifyAndParse(milliseconds: number): Sample {
  const begun = performance.now()
  let count = 0
  let length = 0
  while (performance.now() - begun < milliseconds) {
    for (let one = 0; one < pace; one += 1)
      length += (JSON.parse(JSON.stringify(message)) as typeof message).filler.length
    count += pace
  }
  if (length !== count * message.filler.length) throw new Error('a message has changed')
  return { nanoseconds: perMessage(count, begun) }
}

async function publishAndDeliver(milliseconds: number, listeners: number, most: number): Promise<Sample> {
  const client = await open()
  let delivered = 0
  for (let one = 0; one < listeners; one += 1) {
    await client.listen('core', () => {
      delivered += 1
    })
  }
  const begun = performance.now()
  let published = 0
  const publishOn = async (): Promise<void> => {
    for (;;) {
      if (published % pace === 0 && performance.now() - begun >= milliseconds) return
      published += 1
      await client.publish('core', message)
    }
  }
  await Promise.all(Array.from({ length: most }, publishOn))
  const nanoseconds = perMessage(published, begun)
  await client.close()
  return {
    nanoseconds,
    deliveryNanoseconds: nanoseconds / listeners,
    lost: Math.max(0, published * listeners - delivered),
  }
}

const liveBytes = (): number => {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function channelMemory(): Promise<Sample> {
  const client = await open()
  const before = liveBytes()
  await Promise.all(
    Array.from({ length: manyChannels }, (_, channel) => client.listen(`core-${channel}`, () => {})),
  )
  const channelBytes = (liveBytes() - before) / manyChannels
  await client.close()
  return { channelBytes }
}

const { rounds, milliseconds } = JSON.parse(process.argv[2] ?? '') as CoreOptions
const work: readonly { readonly name: string; readonly run: () => Sample | Promise<Sample> }[] = [
  { name: 'JSON.stringify and JSON.parse', run: () => stringifyAndParse(milliseconds) },
  { name: '@ps, 1 listener', run: () => publishAndDeliver(milliseconds, 1, inFlight) },
  { name: '@ps, 1 listener, each publish awaited', run: () => publishAndDeliver(milliseconds, 1, 1) },
  { name: '@ps, 10 listeners', run: () => publishAndDeliver(milliseconds, 10, inFlight) },
  { name: '@ps, 10,000 channels', run: channelMemory },
]

try {
  const rows = work.map(({ name }, index) => ({ name, index, samples: [] as Sample[] }))
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { index, samples } of rows) {
      const sample = await work[index]?.run()
      if (round > 0 && sample !== undefined) samples.push(sample)
    }
  }
  process.send?.(
    rows.map(
      ({ name, index, samples }): Row => ({
        contestant: name,
        backend: 'none',
        kind: index === 0 ? 'raw' : 'ours',
        base: index === 0,
        samples,
      }),
    ),
  )
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`)
  process.exitCode = 1
}
process.disconnect?.()
