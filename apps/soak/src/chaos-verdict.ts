import type { Evidence, Records, Verdict } from './evidence.js'
import { type ChaosJudgement, judgeChaos } from './judge-chaos.js'
import { clock } from './clock.js'
import { createLedger } from './ledger.js'
import { memoryRows } from './memory-rows.js'
import { problemRows } from './problem-rows.js'
import { percent, type Row } from './table.js'

/** The limits; a run that breaks one fails. */
const minAcceptedShare = 0.99
const maxReturnMilliseconds = 2_000
const maxMemoryGrowth = 0.1
const minAcceptedPerMinute = 100_000
const minFaultsPerMinute = 30
/** Each kind of fault must be proven once in so many minutes. */
const minutesPerKind = 2
/** Shorter runs owe no number of messages and faults. */
const countMinutes = 1
const maxFindings = 15

export function chaosVerdict({ ledgers, faults, ...evidence }: Records): Verdict {
  const { plan } = evidence
  const [ledger = createLedger(plan, 0)] = ledgers
  const judged = judgeChaos(plan, ledger, faults)
  return {
    heads: plan.fleets,
    rows: chaosRows(evidence, judged),
    notes: [
      ...definitions,
      ...describeSlowest(judged),
      ...judged.findings.slice(0, maxFindings),
      ...judged.toldFindings.slice(0, maxFindings),
    ],
  }
}

/** The table's lines: each with its limit, and whether that is broken. */
export function chaosRows(evidence: Evidence, judged: ChaosJudgement): Row[] {
  const { plan } = evidence
  const isLong = plan.minutes >= countMinutes
  const counted = (label: string, count: number): Row => ({ label, cells: [count.toLocaleString('en')] })
  const none = (label: string, count: number): Row => ({
    ...counted(label, count),
    limit: '0',
    broken: count > 0,
  })
  const atLeast = (row: Row, count: number, least: number): Row =>
    isLong ? { ...row, limit: `>= ${least.toLocaleString('en')}`, broken: count < least } : row
  const share = judged.acceptedWhileAlive / judged.whileAlive
  const acknowledged = [...judged.acknowledged.values()].reduce((sum, count) => sum + count, 0)
  const kinds = Object.values(judged.faults)
  const done = kinds.reduce((sum, kind) => sum + kind.done, 0)
  const proven = kinds.reduce((sum, kind) => sum + kind.proven, 0)
  return [
    atLeast(
      counted('accepted (publish was true)', judged.accepted),
      judged.accepted,
      Math.floor(minAcceptedPerMinute * plan.minutes),
    ),
    counted('not accepted (publish was false)', judged.refused),
    counted('delivered (handed to listeners)', judged.delivered),
    ...[...judged.acknowledged]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(
        ([backend, count]): Row => ({
          label: `payloads acknowledged by ${backend}`,
          cells: [`${count.toLocaleString('en')} (${percent(count / acknowledged, 1)})`],
        }),
      ),
    counted('sent again for a listener', judged.resent),
    none('lost', judged.lost),
    none('lost past the ring (1)', judged.lostPastRing),
    none('doubled', judged.doubled),
    none('out of order', judged.outOfOrder),
    none('damaged', judged.damaged),
    none('publishes never settled', judged.neverSettled),
    counted('gaps told', judged.gaps),
    none('false gaps among them', judged.groundlessGaps),
    {
      label: 'true, of all publishes',
      cells: [percent(share, 3)],
      limit: `>= ${percent(minAcceptedShare, 0)}`,
      // Not the other way round: without any publish the share is NaN.
      broken: !(share >= minAcceptedShare),
    },
    {
      label: 'worst first true after a fault began (2)',
      cells: [`${judged.slowestReturn} ms`],
      limit: `<= ${maxReturnMilliseconds} ms`,
      broken: judged.slowestReturn > maxReturnMilliseconds,
    },
    atLeast(
      { label: 'faults (done/proven)', cells: [`${done}/${proven}`] },
      proven,
      Math.floor(minFaultsPerMinute * plan.minutes),
    ),
    ...plan.faultKinds.map((kind): Row => {
      const of = judged.faults[kind] ?? { done: 0, proven: 0 }
      const row = { label: `fault: ${kind} (done/proven)`, cells: [`${of.done}/${of.proven}`] }
      return atLeast(row, of.proven, Math.max(1, Math.floor(plan.minutes / minutesPerKind)))
    }),
    ...problemRows(evidence),
    ...memoryRows(evidence, maxMemoryGrowth),
  ]
}

const describeSlowest = ({ slowestReturn, slowestFault }: ChaosJudgement): string[] =>
  slowestFault === undefined
    ? []
    : [
        `worst first true: ${slowestReturn} ms, ${slowestFault.kind} at ${clock(slowestFault.start)} (${slowestFault.proof})`,
      ]

const definitions = [
  '(1) missed with a gap told, and their publisher was asked for as many that it no longer kept; not counted as lost',
  '(2) from the start of a fault to the first true of a publish started after it, the worst of all publishers and faults',
  '(3) heap after a collection and external memory, least in half a minute: after the first minute -> at the end',
]
