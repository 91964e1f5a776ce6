import type { PublisherRecord } from './judge-channel.js'

/** When a process could not reach its broker: from a fault's start to its end, in milliseconds since 1970. */
export interface FaultWindow {
  readonly start: number
  readonly end: number
}

export interface PublishingJudgement {
  /** Publishes started while the broker lived for the publisher. */
  readonly whileAlive: number
  /** Those of them that resolved `true`. */
  readonly acceptedWhileAlive: number
  /** The longest time from a fault's end to the first `true` of a publish started after it, in milliseconds. */
  readonly slowestReturn: number
  /** The index of the window that this was. */
  readonly slowestWindow: number
}

/** Checks what became of one publisher's calls, given its records on all channels. */
export function judgePublishing(
  records: readonly PublisherRecord[],
  windows: readonly FaultWindow[],
): PublishingJudgement {
  let whileAlive = 0
  let acceptedWhileAlive = 0
  const firstTrue = windows.map(() => Number.POSITIVE_INFINITY)
  for (const { accepted, started, settled } of records) {
    for (const [sequence, outcome] of accepted.entries()) {
      const start = started[sequence]
      if (start === undefined) continue
      if (!windows.some((window) => window.start <= start && start < window.end)) {
        whileAlive += 1
        acceptedWhileAlive += outcome
      }
      if (outcome === 0) continue
      for (const [index, { end }] of windows.entries()) {
        if (start >= end) firstTrue[index] = Math.min(firstTrue[index] ?? end, settled[sequence] ?? end)
      }
    }
  }
  const returns = windows.map(({ end }, index) => (firstTrue[index] ?? end) - end)
  const slowestReturn = Math.max(0, ...returns)
  return { whileAlive, acceptedWhileAlive, slowestReturn, slowestWindow: returns.indexOf(slowestReturn) }
}
