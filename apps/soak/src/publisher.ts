import { createClient } from '@ps/core'
import { answerCheck } from './answer-check.js'
import { connectToAuditor } from './auditor-link.js'
import { fillerOf } from './filler.js'
import {
  channelName,
  type FinalMessage,
  type FleetProcessOptions,
  type Order,
  type SoakMessage,
} from './messages.js'
import { leaveParent, liveUnderParent, sampleMemory, tellParent } from './process-life.js'
import { createRandom } from './random.js'
import { type PublishWatch, watchPublishes } from './watch-publishes.js'

// One publisher process: publishes at a steady rate whatever the broker does, and reports every outcome.

/** One that packs publishes its messages of 25 ms at once and on one channel: else there were hardly any packs. */
const tickMilliseconds = { steady: 5, bursts: 25 }
const reportMilliseconds = 100
const memoryMilliseconds = 5_000

liveUnderParent()
const options = JSON.parse(process.argv[2] ?? '') as FleetProcessOptions
const { name, fleet, number, channels, rate, packing, sizes, auditorPort } = options
const random = createRandom(number + 1)
const auditor = await connectToAuditor(auditorPort)
let packs = 0
let acknowledged: Record<string, number> = {}
const watch: PublishWatch = {
  onPack() {
    packs += 1
  },
  onAcknowledged(backend) {
    acknowledged[backend] = (acknowledged[backend] ?? 0) + 1
  },
}
const client = await createClient<Record<string, SoakMessage>>({
  backends: {
    redis: async () => watchPublishes(await import('@ps/redis'), watch),
    postgres: async () => watchPublishes(await import('@ps/postgres'), watch),
  },
})
const nextSequences = Array.from({ length: channels }, () => 0)
let rows: number[] = []
let unsettled = 0
let newestAccepted = 0
let newestTold = 0
let onSettled = (): void => {}
let pace: NodeJS.Timeout | undefined

const publish = async (channel: number): Promise<{ sequence: number; accepted: boolean }> => {
  const sequence = nextSequences[channel] ?? 0
  nextSequences[channel] = sequence + 1
  const sent = Date.now()
  unsettled += 1
  const filler = fillerOf(sizes, number, channel, sequence)
  const accepted = await client.publish(channelName(channel), { publisher: number, sequence, sent, filler })
  rows.push(channel, sequence, accepted ? 1 : 0, sent, Date.now())
  if (accepted) newestAccepted = Math.max(newestAccepted, sent)
  unsettled -= 1
  if (unsettled === 0) onSettled()
  return { sequence, accepted }
}

const report = (): void => {
  if (rows.length > 0) {
    auditor.send({ kind: 'published', fleet, number, rows, packs, acknowledged })
    rows = []
    packs = 0
    acknowledged = {}
  }
  if (newestAccepted > newestTold) tellParent({ kind: 'alive', at: newestAccepted })
  newestTold = newestAccepted
}

const start = (): void => {
  const begun = performance.now()
  let given = 0
  pace = setInterval(
    () => {
      const due = Math.floor(((performance.now() - begun) * rate) / 1_000)
      // Timers come late, so what is due is counted; but nobody makes up for more than a second.
      given = Math.max(given, due - rate)
      const anyChannel = (): number => random.between(0, channels - 1)
      const one = anyChannel()
      for (; given < due; given += 1) void publish(packing ? one : anyChannel())
    },
    packing ? tickMilliseconds.bursts : tickMilliseconds.steady,
  )
}

const publishFinal = async (channel: number): Promise<FinalMessage> => {
  for (;;) {
    const { sequence, accepted } = await publish(channel)
    if (accepted) return { publisher: number, channel, sequence }
  }
}

const finish = async (): Promise<void> => {
  clearInterval(pace)
  const finals = await Promise.all(nextSequences.map((_, channel) => publishFinal(channel)))
  if (unsettled > 0) await new Promise<void>((resolve) => (onSettled = resolve))
  report()
  tellParent({ kind: 'finished', finals })
}

const stop = async (): Promise<void> => {
  clearInterval(pace)
  clearInterval(reporting)
  clearInterval(measuring)
  const { recovery } = await client.health()
  if (recovery !== null) {
    const { resent, forgotten } = recovery
    auditor.send({ kind: 'recovery', fleet, number, resent, forgotten })
  }
  await client.close()
  report()
  await auditor.end()
  leaveParent()
}

const reporting = setInterval(report, reportMilliseconds)
const measuring = setInterval(
  () => auditor.send({ kind: 'memory', name, ...sampleMemory() }),
  memoryMilliseconds,
)
client.on('state', ({ state }) => tellParent({ kind: 'state', state }))
process.on('message', (order: Order) => {
  if (order.kind === 'start') start()
  else if (order.kind === 'finish') void finish()
  else if (order.kind === 'check') void answerCheck(client, order.id)
  else void stop()
})
tellParent({ kind: 'ready' })
