import { createClient } from '@ps/core'
import { answerCheck } from './answer-check.js'
import { connectToAuditor } from './auditor-link.js'
import { fillerOf } from './filler.js'
import {
  channelName,
  type FinalMessage,
  type FleetProcessOptions,
  gapMark,
  type Order,
  type SoakMessage,
} from './messages.js'
import { leaveParent, liveUnderParent, sampleMemory, tellParent } from './process-life.js'

// One listener process: listens once on every channel, and reports what it hears and every gap, in their order.

const reportMilliseconds = 100
const memoryMilliseconds = 5_000

liveUnderParent()
const options = JSON.parse(process.argv[2] ?? '') as FleetProcessOptions
const { name, fleet, number, channels, sizes, auditorPort } = options
const auditor = await connectToAuditor(auditorPort)
const client = await createClient<Record<string, SoakMessage>>()
let rows: number[] = []
let damaged = 0
let newestHeard = 0
let newestTold = 0
let awaited: readonly FinalMessage[] | undefined
// By channel and publisher, the newest sequence.
const heard: number[][] = Array.from({ length: channels }, () => [])

const hear = (channel: number, { publisher, sequence, sent, filler }: SoakMessage): void => {
  rows.push(channel, publisher, sequence, Date.now())
  if (filler !== fillerOf(sizes, publisher, channel, sequence)) damaged += 1
  newestHeard = Math.max(newestHeard, sent)
  const newest = (heard[channel] ??= [])
  newest[publisher] = Math.max(newest[publisher] ?? -1, sequence)
  tellFinished()
}

const tellFinished = (): void => {
  const complete = awaited?.every(
    ({ channel, publisher, sequence }) => (heard[channel]?.[publisher] ?? -1) >= sequence,
  )
  if (!complete) return
  awaited = undefined
  tellParent({ kind: 'finished', finals: [] })
}

const report = (): void => {
  if (rows.length > 0) auditor.send({ kind: 'heard', fleet, number, rows, damaged })
  rows = []
  damaged = 0
  if (newestHeard > newestTold) tellParent({ kind: 'alive', at: newestHeard })
  newestTold = newestHeard
}

const stop = async (): Promise<void> => {
  clearInterval(reporting)
  clearInterval(measuring)
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
  if (order.kind === 'finish') {
    awaited = order.finals
    tellFinished()
  } else if (order.kind === 'check') void answerCheck(client, order.id)
  else if (order.kind === 'stop') void stop()
})
await Promise.all(
  Array.from({ length: channels }, (_, channel) =>
    client.listen(channelName(channel), (message) => hear(channel, message), {
      onGap: () => rows.push(channel, gapMark, 0, Date.now()),
    }),
  ),
)
tellParent({ kind: 'ready' })
