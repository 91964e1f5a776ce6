import { type ChannelJudgement, judgeChannel } from './judge-channel.js'
import { judgePublishing } from './judge-publishing.js'
import type { Ledger } from './ledger.js'
import type { AuditPlan, Fault } from './messages.js'

/** What became of one fleet's messages. */
export interface FleetJudgement extends ChannelJudgement {
  readonly damaged: number
  /** Payloads that held several messages. */
  readonly packs: number
  /** Payloads that were acknowledged, by backend. */
  readonly acknowledged: ReadonlyMap<string, number>
  readonly whileAlive: number
  readonly acceptedWhileAlive: number
  /** In milliseconds; the worst of all publishers. */
  readonly slowestReturn: number
  readonly slowestFault: Fault | undefined
  /** How many gaps the faults may at most have caused. */
  readonly maxGaps: number
  /** By kind: how many faults were done, and how many of them are proven to have had an effect. */
  readonly faults: Readonly<Record<string, { readonly done: number; readonly proven: number }>>
}

export function judgeFleet(plan: AuditPlan, ledger: Ledger, faults: readonly Fault[]): FleetJudgement {
  const channels = ledger.channels.map(judgeChannel)
  const publishing = Array.from({ length: plan.publishers }, (_, publisher) => {
    const concerning = faults.filter((fault) => fault.publishers.includes(publisher))
    const records = ledger.channels.flatMap(({ publishers }) => publishers[publisher] ?? [])
    const judged = judgePublishing(records, concerning)
    return { ...judged, slowestFault: concerning[judged.slowestWindow] }
  })
  const slowest = publishing.toSorted((a, b) => b.slowestReturn - a.slowestReturn)[0]
  const sum = (
    what: Exclude<keyof ChannelJudgement, 'findings' | 'toldFindings' | 'lostWithGapBy'>,
  ): number => channels.reduce((total, judged) => total + judged[what], 0)
  return {
    accepted: sum('accepted'),
    refused: sum('refused'),
    neverSettled: sum('neverSettled'),
    delivered: sum('delivered'),
    lostWithGap: sum('lostWithGap'),
    lostWithGapBy: Array.from({ length: plan.publishers }, (_, publisher) =>
      channels.reduce((total, { lostWithGapBy }) => total + (lostWithGapBy[publisher] ?? 0), 0),
    ),
    lostSilently: sum('lostSilently'),
    doubled: sum('doubled'),
    outOfOrder: sum('outOfOrder'),
    gaps: sum('gaps'),
    falseGaps: sum('falseGaps'),
    groundlessGaps: sum('groundlessGaps'),
    findings: channels.flatMap(({ findings }, channel) =>
      findings.map((words) => `channel ${channel}, ${words}`),
    ),
    toldFindings: channels.flatMap(({ toldFindings }, channel) =>
      toldFindings.map((words) => `channel ${channel}, ${words}`),
    ),
    damaged: ledger.damaged,
    packs: ledger.packs,
    acknowledged: ledger.acknowledged,
    whileAlive: publishing.reduce((total, { whileAlive }) => total + whileAlive, 0),
    acceptedWhileAlive: publishing.reduce((total, judged) => total + judged.acceptedWhileAlive, 0),
    slowestReturn: slowest?.slowestReturn ?? 0,
    slowestFault: slowest?.slowestFault,
    maxGaps: faults.length * plan.listeners * plan.channels,
    faults: Object.fromEntries(
      plan.faultKinds.map((kind) => {
        const done = faults.filter((fault) => fault.kind === kind)
        return [kind, { done: done.length, proven: done.filter(({ proven }) => proven).length }]
      }),
    ),
  }
}

/** All fleets as one. */
export function addUp(fleets: readonly FleetJudgement[], faultKinds: readonly string[]): FleetJudgement {
  const sum = (of: (fleet: FleetJudgement) => number): number =>
    fleets.reduce((total, fleet) => total + of(fleet), 0)
  return {
    accepted: sum((fleet) => fleet.accepted),
    refused: sum((fleet) => fleet.refused),
    neverSettled: sum((fleet) => fleet.neverSettled),
    delivered: sum((fleet) => fleet.delivered),
    lostWithGap: sum((fleet) => fleet.lostWithGap),
    lostWithGapBy: fleets.flatMap((fleet) => fleet.lostWithGapBy),
    lostSilently: sum((fleet) => fleet.lostSilently),
    doubled: sum((fleet) => fleet.doubled),
    outOfOrder: sum((fleet) => fleet.outOfOrder),
    gaps: sum((fleet) => fleet.gaps),
    falseGaps: sum((fleet) => fleet.falseGaps),
    groundlessGaps: sum((fleet) => fleet.groundlessGaps),
    findings: [],
    toldFindings: [],
    damaged: sum((fleet) => fleet.damaged),
    packs: sum((fleet) => fleet.packs),
    acknowledged: new Map(fleets.flatMap((fleet) => [...fleet.acknowledged])),
    whileAlive: sum((fleet) => fleet.whileAlive),
    acceptedWhileAlive: sum((fleet) => fleet.acceptedWhileAlive),
    slowestReturn: Math.max(...fleets.map((fleet) => fleet.slowestReturn)),
    slowestFault: undefined,
    maxGaps: sum((fleet) => fleet.maxGaps),
    faults: Object.fromEntries(
      faultKinds.map((kind) => [
        kind,
        {
          done: sum((fleet) => fleet.faults[kind]?.done ?? 0),
          proven: sum((fleet) => fleet.faults[kind]?.proven ?? 0),
        },
      ]),
    ),
  }
}
