import { advantage, numberText } from './render-measurement.js'
import type { Measurement, Row } from './results.js'
import { summarize, total } from './sample.js'

/** What has been measured, by name. */
interface Found {
  rows(measurement: string, backend: Row['backend']): readonly Row[]
  row(measurement: string, backend: Row['backend'], contestant: string): Row | undefined
  figure(measurement: string): string
}

interface Target {
  readonly words: string
  readonly asked: number
  /** Default: at least as much as asked. */
  readonly atMost?: true
  readonly digits?: number
  /** `undefined` where it was not measured. */
  readonly reached: (found: Found) => number | undefined
}

const api = '@ps api'

/** How much better than the best of the rivals, by name or by kind, at least: 2 is twice as fast, or half as late. */
const over = (
  measurement: string,
  backend: Row['backend'],
  rival: string,
  asked: number,
  own = '@ps',
): Target => ({
  words: `${backend === 'none' ? '' : `${backend} `}${measurement}, ${own === '@ps' || own === api ? '' : `${own} `}over ${rival === 'peer' ? 'the best peer' : rival}`,
  asked,
  reached({ rows, row, figure }) {
    const ratios = rows(measurement, backend)
      .filter(({ contestant, kind }) => contestant === rival || kind === rival)
      .map((one) => advantage(row(measurement, backend, own), one, figure(measurement)))
      .filter((ratio) => ratio !== undefined)
    return ratios.length === 0 ? undefined : Math.min(...ratios)
  },
})

const bases = [
  ['redis', 'ioredis'],
  ['postgres', 'postgres.js'],
] as const

const onBoth = (measurement: string, asked: number): readonly Target[] =>
  bases.map(([backend, base]) => over(measurement, backend, base, asked))

/** A tail is compared with what the driver's own tail is in its worst round, since its rounds differ so much. */
const tails = (measurement: string): readonly Target[] =>
  bases.map(([backend, base]) => ({
    words: `${backend} ${measurement}, p99 by the worst round of ${base}`,
    asked: 1,
    atMost: true,
    reached: ({ row }) =>
      quotient(
        summarize(row(measurement, backend, '@ps')?.samples ?? [], 'p99')?.median,
        summarize(row(measurement, backend, base)?.samples ?? [], 'p99')?.max,
      ),
  }))

const median = (row: Row | undefined, figure: string): number | undefined =>
  summarize(row?.samples ?? [], figure)?.median

const quotient = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? undefined : one / other

const overPeers = (streams: string, asked: number): Target => over(streams, 'none', 'peer', asked, api)

const ofApi = (
  words: string,
  asked: number,
  digits: number,
  measurement: string,
  of: (api: Row, base: Row | undefined) => number | undefined,
): Target => ({
  words: `${measurement}, ${words}`,
  asked,
  atMost: true,
  digits,
  reached({ row }) {
    const own = row(measurement, 'none', api)
    return own === undefined || own.samples.length === 0
      ? undefined
      : of(own, row(measurement, 'none', 'node:http'))
  },
})

const faultsOf = ({ samples }: Row): number =>
  ['failed', 'lost', 'doubled'].reduce((sum, fault) => sum + total(samples, fault), 0)

const streamTargets: readonly Target[] = [
  // For one client alone there is nothing to share, and what waits for more wakes the process once more.
  overPeers('streams-1', 0.9),
  overPeers('streams-100', 1.1),
  overPeers('streams-2000', 1),
  overPeers('streams-2000-burst', 2),
  ofApi('bytes a stream over node:http', 20_000, 0, 'streams-idle', (own, base) => {
    const [one, other] = [median(own, 'streamResident'), median(base, 'streamResident')]
    return one === undefined || other === undefined ? undefined : one - other
  }),
  ofApi('refused, or without their message', 0, 0, 'streams-idle', faultsOf),
  ofApi('MB over the same streams idle', 200, 0, 'streams-storm', (own) => median(own, 'extraMegabytes')),
  ofApi('kB from the broker', 16, 1, 'streams-storm', (own) => median(own, 'brokerKilobytes')),
  ofApi('refused, lost or doubled', 0, 0, 'streams-storm', faultsOf),
]

const targets: readonly Target[] = [
  over('throughput-100', 'postgres', 'postgres.js', 10),
  over('throughput-100', 'postgres', 'peer', 20),
  over('throughput-100', 'postgres', 'socket', 0.55),
  over('throughput-100', 'redis', 'ioredis', 2),
  over('throughput-100', 'redis', 'ioredis autopipelining', 1.7),
  over('throughput-100', 'redis', 'peer', 2),
  over('throughput-100', 'redis', 'ioredis', 5, '@ps packed'),
  ...onBoth('throughput-1000', 1),
  ...onBoth('throughput-7000', 1),
  ...onBoth('latency-100', 1 / 1.1),
  ...onBoth('latency-1000', 1 / 1.1),
  over('latency-5000', 'postgres', 'postgres.js', 1 / 0.7),
  ...tails('latency-100'),
  ...tails('latency-1000'),
  ...onBoth('serial', 1),
  over('fan-out', 'redis', 'ioredis', 2),
  over('fan-out', 'postgres', 'postgres.js', 8),
  // By hand it is a bare loop over callbacks; ours guards each, keeps its order and lets it be slow. postgres.js parses for each.
  over('crowd', 'redis', 'ioredis', 1 / 2),
  over('crowd', 'postgres', 'postgres.js', 4),
  over('fleet', 'postgres', 'postgres.js', 30),
  ...bases.flatMap(([backend]) => [
    over('fallback', backend, '@ps', 0.8, '@ps with fallback'),
    over('fallback-1000', backend, '@ps', 0.8, '@ps with fallback'),
    over('fallback-latency', backend, '@ps', 1 / 1.2, '@ps with fallback'),
  ]),
  ...bases.map(
    ([backend]): Target => ({
      words: `${backend} CPU a message at 20,000/s by that at 2,000/s`,
      asked: 1,
      atMost: true,
      reached: ({ row }) =>
        quotient(
          median(row('cpu-20000', backend, '@ps'), 'clientCpu'),
          median(row('cpu-2000', backend, '@ps'), 'clientCpu'),
        ),
    }),
  ),
  {
    words: 'core, by JSON.stringify and JSON.parse',
    asked: 1.5,
    atMost: true,
    reached: ({ row }) =>
      quotient(
        median(row('core', 'none', '@ps, 1 listener'), 'nanoseconds'),
        median(row('core', 'none', 'JSON.stringify and JSON.parse'), 'nanoseconds'),
      ),
  },
  {
    words: 'core, bytes a channel',
    asked: 3_000,
    atMost: true,
    digits: 0,
    reached: ({ row }) => median(row('core', 'none', '@ps, 10,000 channels'), 'channelBytes'),
  },
  ...bases.flatMap(([backend]) =>
    ['@ps', '@ps packed'].map(
      (own): Target => ({
        words: `${backend} memory, growth of ${own} in %`,
        asked: 10,
        atMost: true,
        reached: ({ row }) => median(row('memory', backend, own), 'memoryGrowth'),
      }),
    ),
  ),
  ...streamTargets,
]

/** A line for each target that the measurements tell of. */
export function judgeTargets(measurements: readonly Measurement[]): readonly string[] {
  const find = (name: string): Measurement | undefined => measurements.find((one) => one.name === name)
  const rows: Found['rows'] = (name, backend) =>
    find(name)?.rows.filter((row) => row.backend === backend) ?? []
  const found: Found = {
    rows,
    row: (name, backend, contestant) => rows(name, backend).find((row) => row.contestant === contestant),
    figure: (name) => find(name)?.figure ?? '',
  }
  return targets.flatMap(({ words, asked, atMost = false, digits = 2, reached }) => {
    const value = reached(found)
    if (value === undefined) return []
    const verdict = (atMost ? value <= asked : value >= asked) ? '✓' : '✗ MISSED'
    const text = numberText(value, digits).padStart(7)
    return [
      `${words.padEnd(56)} ${text}  ${atMost ? '≤' : '≥'} ${numberText(asked, digits).padStart(5)}  ${verdict}`,
    ]
  })
}
