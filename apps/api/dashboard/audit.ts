/** What became of numbered messages. */
export interface AuditCounts {
  /** Those that a broker is known to have. */
  readonly accepted: number
  readonly heard: number
  /** Accepted, not heard, and not yet lost. */
  readonly onTheWay: number
  /** Accepted and not heard, though a later one was, or though there was time enough. */
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
}

/** Compares what was accepted with what is heard. Numbers begin at 1 and are published one after the other. */
export interface Audit {
  accept(number: number, now: number): void
  hear(number: number): void
  /** Since when what is sent should arrive; undefined while it cannot. */
  listening(since: number | undefined): void
  counts(now: number): AuditCounts
}

/** How long a message may take while nothing is in its way, in milliseconds. */
const patience = 10_000

export function createAudit(): Audit {
  // When each was accepted that has not been heard.
  const awaited = new Map<number, number>()
  // Those below the highest that have not been heard.
  const skipped = new Set<number>()
  let highest = 0
  let accepted = 0
  let heard = 0
  let doubled = 0
  let outOfOrder = 0
  let listeningSince: number | undefined

  return {
    accept(number, now) {
      accepted += 1
      // It may arrive before the answer that says so.
      const isHeard = number <= highest && !skipped.has(number)
      if (!isHeard) awaited.set(number, now)
    },
    hear(number) {
      if (number > highest) {
        for (let each = highest + 1; each < number; each += 1) skipped.add(each)
        highest = number
      } else if (skipped.delete(number)) {
        outOfOrder += 1
      } else {
        doubled += 1
        return
      }
      heard += 1
      awaited.delete(number)
    },
    listening(since) {
      listeningSince = since
    },
    counts(now) {
      let lost = 0
      for (const [number, acceptedAt] of awaited) {
        const isLate = listeningSince !== undefined && now - Math.max(acceptedAt, listeningSince) > patience
        if (number < highest || isLate) lost += 1
      }
      return { accepted, heard, onTheWay: awaited.size - lost, lost, doubled, outOfOrder }
    },
  }
}
