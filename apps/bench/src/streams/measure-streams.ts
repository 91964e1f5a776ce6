import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@ps/core'
import type { Usage } from '@ps/services'
import type { Sample } from '../sample.js'
import type { CountingRelay } from './counting-relay.js'
import { channel } from './servers/source.js'
import type { Crowd } from './start-crowd.js'
import { publishToStreams, type StreamLoad } from './stream-load.js'
import type { StreamServer } from './stream-servers.js'

/** A server, its clients, and who publishes. */
export interface StreamParts {
  readonly server: StreamServer
  readonly crowd: Crowd
  readonly client: Client
  readonly signal: AbortSignal
}

const path = `/v1/events?channel=${channel}`
const hearMilliseconds = 60_000
const groups = 10
const settleMilliseconds = 250
const megabyte = 1_048_576

/** What the server holds when it has come to rest. */
async function settle({ process }: StreamServer): Promise<Usage> {
  let before = await process.usage({ collect: true })
  for (let tries = 0; tries < 20; tries += 1) {
    await sleep(settleMilliseconds)
    const now = await process.usage({ collect: true })
    if (Math.abs(now.resident - before.resident) < 0.005 * before.resident) return now
    before = now
  }
  return before
}

async function open({ server, crowd }: StreamParts, count: number, keepsIds = false): Promise<Sample> {
  const { milliseconds, refused } = await crowd.order({
    kind: 'open',
    port: server.port,
    path,
    count,
    keepsIds,
  })
  return { openMilliseconds: milliseconds, failed: refused }
}

/** Publishes, and waits until everyone has everything. Gives how many messages came. */
async function deliver(
  { crowd, client, signal }: StreamParts,
  load: StreamLoad,
  streams: number,
): Promise<{ readonly heard: number; readonly lost: number }> {
  await crowd.order({ kind: 'count' })
  const wanted = load.messages * streams
  await publishToStreams(client, load, signal)
  const { messages } = await crowd.order({ kind: 'await', messages: wanted, timeout: hearMilliseconds })
  return { heard: messages, lost: wanted - messages }
}

const one: StreamLoad = { messages: 1, together: 1, interval: 0 }

export async function measureIdle(parts: StreamParts, streams: number): Promise<Sample> {
  const { server, crowd } = parts
  // What is made but once.
  await open(parts, 100)
  await deliver(parts, { ...one, messages: 50 }, 100)
  await crowd.order({ kind: 'close' })
  const before = await settle(server)
  const opened = await open(parts, streams)
  const { lost } = await deliver(parts, one, streams)
  const after = await settle(server)
  await crowd.order({ kind: 'close' })
  return {
    ...opened,
    lost,
    streamResident: (after.resident - before.resident) / streams,
    streamLive: (after.live - before.live) / streams,
  }
}

export async function measureDelivery(
  parts: StreamParts,
  streams: number,
  load: StreamLoad,
): Promise<Sample> {
  const { server, crowd } = parts
  const opened = await open(parts, streams)
  const warm = Math.max(load.together, Math.ceil(load.messages / 4))
  await deliver(parts, { ...load, messages: warm }, streams)
  const before = await server.process.usage()
  const begun = performance.now()
  const { heard, lost } = await deliver(parts, load, streams)
  const milliseconds = performance.now() - begun
  const after = await server.process.usage()
  await crowd.order({ kind: 'close' })
  return {
    failed: opened.failed ?? 0,
    lost,
    deliveriesPerCpuSecond: (1_000 * heard) / (after.cpuMilliseconds - before.cpuMilliseconds),
    deliveriesPerSecond: (1_000 * heard) / milliseconds,
  }
}

/** `replays`: whether what they have missed is to come. */
export async function measureStorm(
  parts: StreamParts,
  streams: number,
  missed: number,
  relay: CountingRelay,
  replays: boolean,
): Promise<Sample> {
  const { server, crowd, client, signal } = parts
  await open(parts, streams, true)
  // Each has an id then.
  await deliver(parts, { messages: 20, together: 1, interval: 10 }, streams)
  const idle = await settle(server)
  const group = streams / groups
  const some: StreamLoad = { messages: missed / groups, together: 1, interval: 5 }
  for (let number = 0; number < groups; number += 1) {
    await crowd.order({ kind: 'cut', from: number * group, to: (number + 1) * group })
    const left = streams - (number + 1) * group
    if (left > 0) await deliver(parts, some, left)
    else await publishToStreams(client, some, signal)
  }
  await sleep(2 * settleMilliseconds)
  await crowd.order({ kind: 'count' })
  server.process.resetPeak()
  const before = await server.process.usage()
  const fromBroker = relay.received
  const { milliseconds, refused, heard, lost, doubled } = await crowd.order({
    kind: 'return',
    each: Array.from({ length: groups }, (_, number) => (replays ? some.messages * (groups - number) : 0)),
    timeout: hearMilliseconds,
  })
  const received = relay.received - fromBroker
  const after = await server.process.usage()
  const peak = server.process.peak()
  await crowd.order({ kind: 'close' })
  return {
    openMilliseconds: milliseconds,
    failed: refused,
    replayed: heard.messages,
    brokerKilobytes: received / 1_024,
    stormCpu: after.cpuMilliseconds - before.cpuMilliseconds,
    lost,
    doubled,
    ...(replays && { replayMilliseconds: heard.milliseconds }),
    ...(peak !== undefined && { extraMegabytes: (peak - idle.resident) / megabyte }),
  }
}
