import type { BackendName } from './contestants.js'
import { advantage, numberText } from './render-measurement.js'
import type { Measurement } from './results.js'

interface Target {
  readonly measurement: string
  readonly backend: BackendName
  /** Rivals by name, or by kind. */
  readonly over: string
  /** How much better than the best of them, at least: 2 is twice as fast, or half as late. */
  readonly atLeast: number
}

const onBoth = (measurement: string, atLeast: number): readonly Target[] => [
  { measurement, backend: 'redis', over: 'ioredis', atLeast },
  { measurement, backend: 'postgres', over: 'postgres.js', atLeast },
]

/** What @ps without packing is to reach. */
const targets: readonly Target[] = [
  { measurement: 'throughput-100', backend: 'postgres', over: 'postgres.js', atLeast: 10 },
  { measurement: 'throughput-100', backend: 'postgres', over: 'peer', atLeast: 20 },
  { measurement: 'throughput-100', backend: 'postgres', over: 'socket', atLeast: 0.55 },
  { measurement: 'throughput-100', backend: 'redis', over: 'ioredis', atLeast: 2 },
  { measurement: 'throughput-100', backend: 'redis', over: 'ioredis autopipelining', atLeast: 1.7 },
  { measurement: 'throughput-100', backend: 'redis', over: 'peer', atLeast: 2 },
  ...onBoth('throughput-1000', 1),
  ...onBoth('throughput-7000', 1),
  ...onBoth('latency-100', 1 / 1.1),
  ...onBoth('latency-1000', 1 / 1.1),
  { measurement: 'latency-5000', backend: 'postgres', over: 'postgres.js', atLeast: 1 / 0.7 },
  ...onBoth('serial', 1),
  { measurement: 'fan-out', backend: 'redis', over: 'ioredis', atLeast: 2 },
  { measurement: 'fan-out', backend: 'postgres', over: 'postgres.js', atLeast: 8 },
  { measurement: 'fleet', backend: 'postgres', over: 'postgres.js', atLeast: 30 },
]

/** A line for each target that the measurements tell of. */
export function judgeTargets(measurements: readonly Measurement[]): readonly string[] {
  return targets.flatMap(({ measurement, backend, over, atLeast }) => {
    const found = measurements.find(({ name }) => name === measurement)
    const rows = found?.rows.filter((row) => row.backend === backend) ?? []
    const own = rows.find(({ contestant }) => contestant === '@ps')
    const reached = rows
      .filter(({ contestant, kind }) => contestant === over || kind === over)
      .map((rival) => advantage(own, rival, found?.figure ?? ''))
      .filter((ratio) => ratio !== undefined)
    if (reached.length === 0) return []
    const least = Math.min(...reached)
    const words = `${backend} ${measurement}, over ${over === 'peer' ? 'the best peer' : over}`
    const verdict = least >= atLeast ? '✓' : '✗ MISSED'
    return [
      `${words.padEnd(56)} ${numberText(least, 2).padStart(7)}  asked ${numberText(atLeast, 2).padStart(5)}  ${verdict}`,
    ]
  })
}
