import { describeError } from '@ps/core'
import type { Adapter } from './adapter.js'
import { now } from './clock.js'
import { contestants } from './contestants.js'
import { createTally } from './create-tally.js'
import {
  type Answers,
  channelNames,
  type Order,
  type Reply,
  type Request,
  type WorkerOptions,
} from './orders.js'
import { publishLoad } from './publish-load.js'

// One process of one contestant: it publishes, or it listens and counts. It does what it is asked for, one after the other.

process.on('disconnect', () => process.exit())
const { backend, contestant: name, role } = JSON.parse(process.argv[2] ?? '') as WorkerOptions
const contestant = contestants.find((one) => one.backend === backend && one.name === name)
if (contestant === undefined) throw new Error(`there is no ${name} on ${backend}`)
const connect = await contestant.load()
const channelName = channelNames(backend, name)
type Answer<Kind extends Order['kind']> = Answers[Kind] | Promise<Answers[Kind]>

let connected: Adapter | undefined
let tally = createTally(1, 1)

const adapter = (): Adapter => {
  if (connected === undefined) throw new Error('it is not connected')
  return connected
}

const listen = async (channels: number, listeners: number): Promise<Answers['listen']> => {
  tally = createTally(channels, listeners)
  const begun = now()
  const pending: Promise<unknown>[] = []
  for (let channel = 0; channel < channels; channel += 1) {
    for (let listener = 0; listener < listeners; listener += 1)
      pending.push(adapter().listen(channelName(channel), tally.hearOf(channel, listener)))
  }
  await Promise.all(pending)
  return { milliseconds: now() - begun }
}

const obey: { readonly [Kind in Order['kind']]: (order: Order & { readonly kind: Kind }) => Answer<Kind> } = {
  async connect({ url, standbyUrl }) {
    connected = await connect(url, role, standbyUrl)
    return null
  },
  listen: ({ channels, listeners }) => listen(channels, listeners),
  async probe({ channels }) {
    for (const channel of channels)
      await adapter().publish(channelName(channel), { sequence: -1, sent: 0, filler: '' })
    return null
  },
  unheard: () => tally.unheard(),
  publish: ({ load }) => publishLoad(adapter(), load, channelName),
  count() {
    tally.reset()
    return null
  },
  tally: ({ deliveries }) => tally.tally(deliveries),
  cpu() {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1_000
  },
  async memory() {
    globalThis.gc?.()
    // Buffers are given back after the collection that found them unused.
    await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  },
  async disconnect() {
    await connected?.close()
    connected = undefined
    tally = createTally(1, 1)
    return null
  },
}

const reply = (message: Reply): void => void process.send?.(message)
process.on('message', ({ number, order }: Request) => {
  const run = obey[order.kind] as (order: Order) => Answer<Order['kind']>
  ;(async () => run(order))().then(
    (value) => reply({ number, value }),
    (error: unknown) => reply({ number, error: `${order.kind}: ${describeError(error)}` }),
  )
})
reply({ number: 0, value: null })
