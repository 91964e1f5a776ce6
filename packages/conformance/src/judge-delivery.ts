/** What one listener got of one publisher's messages on one channel, in order: sequence numbers, and gaps that were told. */
export type Delivery = readonly (number | 'gap')[]

export interface Verdict {
  /** Accepted, missing, and no gap was told in its place. */
  readonly lostSilently: readonly number[]
  /** Accepted, missing, and a gap was told in its place. */
  readonly lostWithGap: readonly number[]
  readonly doubled: readonly number[]
  readonly outOfOrder: readonly number[]
}

/** Holds what a listener was given against what the broker has acknowledged (`accepted`, sequence numbers). */
export function judgeDelivery(delivery: Delivery, accepted: Iterable<number>): Verdict {
  const seen = new Set<number>()
  const doubled: number[] = []
  const outOfOrder: number[] = []
  // Between which sequence numbers a gap was told; -1 stands before the first.
  const excused: { after: number; before: number }[] = []
  let last = -1
  let gapAfter: number | undefined
  for (const event of delivery) {
    if (event === 'gap') {
      gapAfter ??= last
      continue
    }
    if (seen.has(event)) doubled.push(event)
    else if (event < last) outOfOrder.push(event)
    seen.add(event)
    last = Math.max(last, event)
    if (gapAfter !== undefined) excused.push({ after: gapAfter, before: event })
    gapAfter = undefined
  }
  if (gapAfter !== undefined) excused.push({ after: gapAfter, before: Number.POSITIVE_INFINITY })

  const missing = Array.from(accepted).filter((sequence) => !seen.has(sequence))
  const isExcused = (sequence: number): boolean =>
    excused.some(({ after, before }) => sequence > after && sequence < before)
  return {
    lostSilently: missing.filter((sequence) => !isExcused(sequence)),
    lostWithGap: missing.filter(isExcused),
    doubled,
    outOfOrder,
  }
}
