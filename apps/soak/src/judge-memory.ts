import type { MemorySample } from './messages.js'

/** From after the warm-up to the end. Each is the least in a window, since an outage fills queues for a while. In bytes. */
export interface MemoryJudgement {
  readonly resident: readonly [first: number, last: number]
  readonly live: readonly [first: number, last: number]
  /** How much `live` has grown: 0.1 is a tenth. */
  readonly growth: number
}

const minuteMilliseconds = 60_000
const windowMilliseconds = 30_000

/** How one process's memory developed since `begun`; `undefined` without samples. In short runs all is warm-up but the start. */
export function judgeMemory(samples: readonly MemorySample[], begun: number): MemoryJudgement | undefined {
  const end = samples.at(-1)?.at
  if (end === undefined) return undefined
  const isLong = end - begun > minuteMilliseconds + 2 * windowMilliseconds
  const warm = isLong ? begun + minuteMilliseconds : begun
  const width = isLong ? windowMilliseconds : (end - begun) / 3
  const first = samples.filter(({ at }) => at >= warm && at <= warm + width)
  const last = samples.filter(({ at }) => at >= end - width)
  if (first.length === 0 || last.length === 0) return undefined
  const least = (of: readonly MemorySample[], what: 'resident' | 'live'): number =>
    Math.min(...of.map((sample) => sample[what]))
  const live = [least(first, 'live'), least(last, 'live')] as const
  return {
    resident: [least(first, 'resident'), least(last, 'resident')],
    live,
    growth: live[1] / live[0] - 1,
  }
}
