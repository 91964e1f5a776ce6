/** One value and when it was measured, in milliseconds of this computer's clock. */
export interface Point {
  readonly at: number
  readonly value: number
}

export interface Series {
  add(at: number, value: number): void
  /** Those of the last `span` milliseconds, the oldest first. */
  points(now: number): readonly Point[]
}

/** Values of the last `span` milliseconds. */
export function createSeries(span: number): Series {
  let points: readonly Point[] = []
  return {
    add(at, value) {
      points = [...points.filter((point) => at - point.at <= span), { at, value }]
    },
    points: (now) => points.filter(({ at }) => now - at <= span),
  }
}

/** What a count grows by in a second, from one reading to the next. */
export interface CountRate {
  /** Undefined at the first reading, and where the count began anew. */
  read(at: number, count: number): number | undefined
}

export function createCountRate(): CountRate {
  let last: { readonly at: number; readonly count: number } | undefined
  return {
    read(at, count) {
      const before = last
      last = { at, count }
      if (before === undefined || count < before.count || at <= before.at) return undefined
      return ((count - before.count) / (at - before.at)) * 1_000
    },
  }
}

/** The value under which this share of all lies. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]
}

/** The next of 1, 2, 5, 10, 20, 50 … */
export function roundUp(value: number): number {
  if (value <= 1) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power
}
