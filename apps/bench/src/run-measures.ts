import { describeError } from '@ps/core'
import { startBystanders } from './bystanders.js'
import type { BackendName, Contestant } from './contestants.js'
import type { Measure, Scale } from './measure.js'
import { listMeasures } from './measures.js'
import { type BenchServer, type Pair, startPair } from './pair.js'
import type { Measurement, Row } from './results.js'
import type { Sample } from './sample.js'

export interface RunMeasuresOptions {
  readonly scale: Scale
  readonly contestants: readonly Contestant[]
  readonly servers: Readonly<Partial<Record<BackendName, BenchServer>>>
  readonly isAsked: (name: string, isLong?: boolean) => boolean
  /** For the processes of the contestants. */
  readonly nodeArguments: readonly string[]
  readonly signal: AbortSignal
  readonly onMeasurement: (measurement: Measurement) => void
}

const warmMilliseconds = { quick: 80, full: 250 }
const idleMilliseconds = 20_000

type Round = (pair: Pair) => Promise<Sample>

/** Runs every measurement that is asked for; in each, the contestants take turns, round after round. */
export async function runMeasures(options: RunMeasuresOptions): Promise<void> {
  const { scale, contestants, servers, isAsked, nodeArguments, signal, onMeasurement } = options
  const measures = listMeasures(scale).filter(
    ({ name, group, isLong, takes }) =>
      (isAsked(group, isLong) || isAsked(name, isLong)) && contestants.some((one) => takes(one)),
  )
  const warm = scale.quick ? warmMilliseconds.quick : warmMilliseconds.full
  const pairs: Pair[] = []

  const rows = async (
    taking: readonly Pair[],
    rounds: number,
    round: Round,
  ): Promise<{ rows: readonly Row[] }> => {
    const samples = new Map<Pair, Sample[]>(taking.map((pair) => [pair, []]))
    const errors = new Map<Pair, string>()
    for (let number = 0; number < rounds; number += 1) {
      // Each round begins with another one.
      const from = number % taking.length
      for (const pair of [...taking.slice(from), ...taking.slice(0, from)]) {
        signal.throwIfAborted()
        if (errors.has(pair)) continue
        try {
          samples.get(pair)?.push(await round(pair))
        } catch (error) {
          errors.set(pair, describeError(error))
        }
      }
    }
    return {
      rows: taking.map((pair) => {
        const { name, backend, kind, base = false } = pair.contestant
        const error = errors.get(pair)
        return {
          contestant: name,
          backend,
          kind,
          base,
          samples: samples.get(pair) ?? [],
          ...(error !== undefined && { error }),
        }
      }),
    }
  }

  const runMeasure = async (measure: Measure): Promise<void> => {
    const { name, title, figure, shows, takes, bystanders, rounds = scale.rounds } = measure
    const url = servers.postgres?.url
    const close =
      bystanders === undefined || url === undefined ? undefined : await startBystanders(url, bystanders)
    try {
      const taking = pairs.filter(({ contestant }) => takes(contestant))
      const found = await rows(taking, rounds, (pair) => pair.measure(measure))
      onMeasurement({ name, title, figure, shows, ...found })
    } finally {
      await close?.()
    }
  }

  /** All at once: each is alone in its processes, and does nothing. */
  const runIdle = async (): Promise<void> => {
    const idle = new Map(pairs.map((pair) => [pair, pair.idle(idleMilliseconds)]))
    await Promise.allSettled(idle.values())
    const found = await rows(pairs, 1, async (pair) => (await idle.get(pair)) ?? {})
    onMeasurement({
      name: 'idle',
      title: `Idle for ${idleMilliseconds / 1_000} s: both processes`,
      figure: 'idleCpu',
      shows: ['idleCpu'],
      ...found,
    })
  }

  try {
    const asksIdle = isAsked('idle', true)
    for (const contestant of contestants) {
      const server = servers[contestant.backend]
      if (server === undefined || (!asksIdle && !measures.some(({ takes }) => takes(contestant)))) continue
      const { standby } = contestant
      const standbyUrl = standby === undefined ? undefined : servers[standby]?.url
      if (standby !== undefined && standbyUrl === undefined) continue
      signal.throwIfAborted()
      pairs.push(await startPair(contestant, server, standbyUrl, warm, nodeArguments))
    }
    for (const measure of measures) await runMeasure(measure)
    if (asksIdle) await runIdle()
  } finally {
    await Promise.all(pairs.map((pair) => pair.stop()))
  }
}
