import { type FleetJudgement, judgeFleet } from './judge-fleet.js'
import type { Ledger } from './ledger.js'
import type { AuditPlan, Fault } from './messages.js'

/** What became of the messages of a fleet of which one broker always lived. */
export interface ChaosJudgement extends FleetJudgement {
  /** Accepted messages that a listener missed, whether a gap was told or not. */
  readonly lost: number
  /** Those missed with a gap told that their publisher was asked for and no longer kept; not in `lost`. */
  readonly lostPastRing: number
  /** Messages that publishers sent again because a listener asked for them. */
  readonly resent: number
}

/** The name of a kind of fault, which brokers have in common. */
export const faultLabel = (backend: string, kind: string): string => `${backend}: ${kind}`

export function judgeChaos(plan: AuditPlan, ledger: Ledger, faults: readonly Fault[]): ChaosJudgement {
  const publishers = Array.from({ length: plan.publishers }, (_, publisher) => publisher)
  // The other broker lives, so no fault excuses a publish that was not accepted, and the wait is counted from its start.
  const unexcused = faults.map((fault) => ({
    ...fault,
    kind: faultLabel(fault.backend, fault.kind),
    end: fault.start,
    publishers,
  }))
  const judged = judgeFleet(plan, ledger, unexcused)
  const lostPastRing = judged.lostWithGapBy.reduce(
    (sum, lost, publisher) => sum + Math.min(lost, ledger.recovery[publisher]?.forgotten ?? 0),
    0,
  )
  return {
    ...judged,
    lost: judged.lostSilently + judged.lostWithGap - lostPastRing,
    lostPastRing,
    resent: ledger.recovery.reduce((sum, { resent }) => sum + resent, 0),
  }
}
