import { createClient, describeError, silentLogger } from '@ps/core'
import type { Scale } from '../measure.js'
import type { Measurement, Row } from '../results.js'
import type { Sample } from '../sample.js'
import { startCountingRelay } from './counting-relay.js'
import { measureDelivery, measureIdle, measureStorm } from './measure-streams.js'
import { startCrowd } from './start-crowd.js'
import { listStreamMeasures, type StreamMeasure } from './stream-measures.js'
import {
  type StreamContestant,
  type StreamServer,
  startStreamServer,
  streamContestants,
} from './stream-servers.js'

export interface RunStreamsOptions {
  readonly scale: Scale
  readonly databaseUrl: string
  /** Default: nothing. */
  readonly prefix?: string
  readonly isAsked: (name: string) => boolean
  readonly contestants?: readonly StreamContestant[]
  /** For the processes of the servers. */
  readonly nodeArguments: readonly string[]
  readonly signal: AbortSignal
  readonly onMeasurement: (measurement: Measurement) => void
}

/** Measures servers of event streams; in each measurement they take turns, round after round. */
export async function runStreams({
  scale,
  databaseUrl,
  prefix = '',
  isAsked,
  contestants = streamContestants,
  nodeArguments,
  signal,
  onMeasurement,
}: RunStreamsOptions): Promise<void> {
  const environment = { PUBSUB_BACKEND: 'postgres', DATABASE_URL: databaseUrl, PUBSUB_PREFIX: prefix }
  const client = await createClient({
    environment,
    backends: { postgres: () => import('@ps/postgres') },
    log: silentLogger,
  })
  const crowd = await startCrowd()
  const relay = await startCountingRelay(databaseUrl)

  const round = async (
    { streams, work }: StreamMeasure,
    { replays }: StreamContestant,
    server: StreamServer,
  ): Promise<Sample> => {
    const parts = { server, crowd, client, signal }
    try {
      if (work.kind === 'idle') return await measureIdle(parts, streams)
      if (work.kind === 'deliver') return await measureDelivery(parts, streams, work.load)
      return await measureStorm(parts, streams, work.missed, relay, replays)
    } finally {
      await crowd.order({ kind: 'close' })
    }
  }

  const start = (contestant: StreamContestant): Promise<StreamServer> =>
    startStreamServer(contestant, { ...environment, DATABASE_URL: relay.through(databaseUrl) }, nodeArguments)

  const runMeasure = async (measure: StreamMeasure): Promise<void> => {
    const { name, title, figure, shows, rounds, work } = measure
    const samples = new Map<StreamContestant, Sample[]>(contestants.map((one) => [one, []]))
    const errors = new Map<StreamContestant, string>()
    const servers = new Map<StreamContestant, StreamServer>()
    const stop = async (contestant: StreamContestant): Promise<void> => {
      const server = servers.get(contestant)
      servers.delete(contestant)
      await server?.stop()
    }
    const measureOnce = async (contestant: StreamContestant): Promise<void> => {
      const server = servers.get(contestant) ?? (await start(contestant))
      servers.set(contestant, server)
      try {
        samples.get(contestant)?.push(await round(measure, contestant, server))
      } catch (error) {
        errors.set(contestant, describeError(error))
      }
      // What a process has held once does not come back to the system.
      if (work.kind !== 'deliver') await stop(contestant)
    }
    try {
      for (let number = 0; number < rounds; number += 1) {
        // Each round begins with another one.
        const from = number % contestants.length
        for (const contestant of [...contestants.slice(from), ...contestants.slice(0, from)]) {
          signal.throwIfAborted()
          if (!errors.has(contestant)) await measureOnce(contestant)
        }
      }
    } finally {
      await Promise.all([...servers.keys()].map(stop))
    }
    const rows = contestants.map((one): Row => {
      const silent = work.kind === 'storm' && !one.replays ? 'no replay' : undefined
      const error = errors.get(one) ?? silent
      const { contestant, kind, base } = one
      return {
        contestant,
        backend: 'none',
        kind,
        base,
        samples: samples.get(one) ?? [],
        ...(error !== undefined && { error }),
      }
    })
    onMeasurement({ name, title, figure, shows, rows })
  }

  try {
    for (const measure of listStreamMeasures(scale)) if (isAsked(measure.name)) await runMeasure(measure)
  } finally {
    await crowd.stop()
    relay.close()
    await client.close()
  }
}
