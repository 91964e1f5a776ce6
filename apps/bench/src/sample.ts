/** What one round of one measurement gave, by the name of the figure. */
export type Sample = Readonly<Record<string, number>>

/** The figures of {@link Sample}s, and how they are written. */
export interface Figure {
  readonly title: string
  /** Whether more is better; undefined where it is a fault to be counted, and the rounds are added up. */
  readonly better?: 'more' | 'less'
  readonly digits: number
}

const fault = (title: string): Figure => ({ title, digits: 0 })

export const figures: Readonly<Record<string, Figure>> = {
  perSecond: { title: 'messages/s', better: 'more', digits: 0 },
  deliveriesPerSecond: { title: 'deliveries/s', better: 'more', digits: 0 },
  p50: { title: 'p50 ms', better: 'less', digits: 3 },
  p99: { title: 'p99 ms', better: 'less', digits: 3 },
  max: { title: 'max ms', better: 'less', digits: 2 },
  subscribeMilliseconds: { title: 'subscribe ms', better: 'less', digits: 0 },
  memoryGrowth: { title: 'growth %', better: 'less', digits: 1 },
  publisherFirst: { title: 'publisher MB', better: 'less', digits: 2 },
  publisherLast: { title: '→ last', better: 'less', digits: 2 },
  publisherMost: { title: 'max', better: 'less', digits: 2 },
  listenerFirst: { title: 'listener MB', better: 'less', digits: 2 },
  listenerLast: { title: '→ last', better: 'less', digits: 2 },
  listenerMost: { title: 'max', better: 'less', digits: 2 },
  delivered: { title: 'messages', better: 'more', digits: 0 },
  channelBytes: { title: 'bytes/channel', better: 'less', digits: 0 },
  clientCpu: { title: 'client µs/message', better: 'less', digits: 2 },
  serverCpu: { title: 'server µs/message', better: 'less', digits: 2 },
  idleCpu: { title: 'idle CPU ms/s', better: 'less', digits: 2 },
  nanoseconds: { title: 'ns/message', better: 'less', digits: 0 },
  deliveryNanoseconds: { title: 'ns/delivery', better: 'less', digits: 0 },
  deliveriesPerCpuSecond: { title: 'deliveries/CPU s', better: 'more', digits: 0 },
  streamResident: { title: 'bytes/stream', better: 'less', digits: 0 },
  streamLive: { title: 'of it live', better: 'less', digits: 0 },
  openMilliseconds: { title: 'open ms', better: 'less', digits: 0 },
  extraMegabytes: { title: 'extra MB', better: 'less', digits: 1 },
  replayMilliseconds: { title: 'replay ms', better: 'less', digits: 0 },
  replayed: { title: 'sent again', better: 'more', digits: 0 },
  brokerKilobytes: { title: 'from broker kB', better: 'less', digits: 1 },
  stormCpu: { title: 'CPU ms', better: 'less', digits: 0 },
  failed: fault('failed'),
  lost: fault('lost'),
  doubled: fault('doubled'),
  disordered: fault('out of order'),
}

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Of one figure over the rounds; `undefined` where no round has it. */
export function summarize(samples: readonly Sample[], figure: string): Summary | undefined {
  const values = samples
    .map((sample) => sample[figure])
    .filter((value) => value !== undefined)
    .toSorted((a, b) => a - b)
  const [min] = values
  const max = values.at(-1)
  if (min === undefined || max === undefined) return undefined
  const middle = values.length / 2
  const low = values[Math.ceil(middle) - 1] ?? min
  const high = values[Math.floor(middle)] ?? max
  return { median: (low + high) / 2, min, max }
}

export const total = (samples: readonly Sample[], figure: string): number =>
  samples.reduce((sum, sample) => sum + (sample[figure] ?? 0), 0)
