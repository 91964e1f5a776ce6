import type { Evidence, Records, Verdict } from './evidence.js'
import { addUp, type FleetJudgement, judgeFleet } from './judge-fleet.js'
import { memoryRows } from './memory-rows.js'
import { problemRows } from './problem-rows.js'
import { percent, type Row } from './table.js'

/** The limits; a run that breaks one fails. */
const minAcceptedShare = 0.99
const maxReturnMilliseconds = 2_000
const maxMemoryGrowth = 0.1
/** Shorter runs need not show every kind of fault. */
const faultMinutes = 1
/** So many findings a backend are printed. */
const maxFindings = 10

/** What the auditor has found. */
export interface SoakEvidence extends Evidence {
  /** In the plan's order. */
  readonly fleets: readonly FleetJudgement[]
  readonly total: FleetJudgement
}

export function soakVerdict({ ledgers, faults, ...evidence }: Records): Verdict {
  const { plan } = evidence
  const fleets = ledgers.map((ledger, index) =>
    judgeFleet(
      plan,
      ledger,
      faults.filter(({ fleet }) => fleet === plan.fleets[index]),
    ),
  )
  return {
    heads: fleets.length > 1 ? [...plan.fleets, 'total'] : plan.fleets,
    rows: tableRows({ ...evidence, fleets, total: addUp(fleets, plan.faultKinds) }),
    notes: [
      ...definitions,
      ...fleets.flatMap(({ findings }, index) =>
        findings.slice(0, maxFindings).map((words) => `${plan.fleets[index]}, ${words}`),
      ),
    ],
  }
}

/** The table's lines: each with its limit, and whether that is broken. */
export function tableRows(evidence: SoakEvidence): Row[] {
  const { plan, fleets, total } = evidence
  const columns = fleets.length > 1 ? [...fleets, total] : fleets
  const counted = (label: string, of: (fleet: FleetJudgement) => number): Row => ({
    label,
    cells: columns.map((fleet) => of(fleet).toLocaleString('en')),
  })
  const none = (label: string, of: (fleet: FleetJudgement) => number): Row => ({
    ...counted(label, of),
    limit: '0',
    broken: of(total) > 0,
  })
  const share = ({ acceptedWhileAlive, whileAlive }: FleetJudgement): number =>
    acceptedWhileAlive / whileAlive
  return [
    counted('accepted (publish was true)', (fleet) => fleet.accepted),
    counted('not accepted (publish was false)', (fleet) => fleet.refused),
    counted('delivered (handed to listeners)', (fleet) => fleet.delivered),
    {
      ...counted('packs (payloads of several messages)', (fleet) => fleet.packs),
      limit: '>= 1 each',
      broken: fleets.some(({ packs }) => packs === 0),
    },
    counted('lost with a gap told', (fleet) => fleet.lostWithGap),
    none('lost silently', (fleet) => fleet.lostSilently),
    none('doubled', (fleet) => fleet.doubled),
    none('out of order', (fleet) => fleet.outOfOrder),
    none('damaged', (fleet) => fleet.damaged),
    none('publishes never settled', (fleet) => fleet.neverSettled),
    {
      label: 'gaps told',
      cells: columns.map(({ gaps, maxGaps }) => `${gaps} of ${maxGaps}`),
      limit: '<= faults x listeners',
      broken: fleets.some(({ gaps, maxGaps }) => gaps > maxGaps),
    },
    counted('false gaps among them', (fleet) => fleet.falseGaps),
    {
      label: 'true while the broker lived (1)',
      cells: columns.map((fleet) => percent(share(fleet), 3)),
      limit: `>= ${percent(minAcceptedShare, 0)}`,
      // Not the other way round: without any publish the share is NaN.
      broken: !fleets.every((fleet) => share(fleet) >= minAcceptedShare),
    },
    {
      label: 'worst first true after a fault (2)',
      cells: columns.map(({ slowestReturn }) => `${slowestReturn} ms`),
      limit: `<= ${maxReturnMilliseconds} ms`,
      broken: fleets.some(({ slowestReturn }) => slowestReturn > maxReturnMilliseconds),
    },
    ...plan.faultKinds.map((kind): Row => {
      const row = {
        label: `fault: ${kind} (done/proven)`,
        cells: columns.map(({ faults }) => `${faults[kind]?.done ?? 0}/${faults[kind]?.proven ?? 0}`),
      }
      if (plan.minutes < faultMinutes) return row
      const broken = fleets.some(({ faults }) => (faults[kind]?.proven ?? 0) === 0)
      return { ...row, limit: '>= 1 proven each', broken }
    }),
    ...problemRows(evidence),
    ...memoryRows(evidence, maxMemoryGrowth),
  ]
}

const definitions = [
  '(1) publishes started outside of every fault of that publisher (from the fault start to its end) that were true',
  '(2) from the end of a fault to the first true of a publish started after it, the worst of all publishers it concerned',
  '(3) heap after a collection and external memory, least in half a minute: after the first minute -> at the end',
]
