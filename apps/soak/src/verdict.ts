import type { FleetJudgement } from './judge-fleet.js'
import type { MemoryJudgement } from './judge-memory.js'
import type { SoakPlan } from './messages.js'
import type { Row } from './table.js'

/** The limits; a run that breaks one fails. */
const minAcceptedShare = 0.99
const maxReturnMilliseconds = 2_000
const maxMemoryGrowth = 0.1
/** Shorter runs are not judged on memory. */
const memoryMinutes = 3
/** Shorter runs need not show every kind of fault. */
const faultMinutes = 1

/** What the auditor has found. */
export interface Evidence {
  readonly plan: SoakPlan
  /** By backend, in the plan's order. */
  readonly fleets: readonly FleetJudgement[]
  readonly total: FleetJudgement
  /** By the name of the process; those of a fleet begin with its backend. */
  readonly memory: ReadonlyMap<string, MemoryJudgement>
  /** The names of the processes with an uncaught error. */
  readonly uncaught: readonly string[]
  /** Whatever else went wrong. */
  readonly problems: readonly string[]
}

/** The table's lines: each with its limit, and whether that is broken. */
export function tableRows(evidence: Evidence): Row[] {
  const { plan, fleets, total, uncaught, problems } = evidence
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
  const uncaughtOf = (backend: string): number => uncaught.filter((name) => name.startsWith(backend)).length
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
    {
      label: 'uncaught errors',
      cells: [...plan.backends.map(uncaughtOf), ...(fleets.length > 1 ? [uncaught.length] : [])].map(String),
      limit: '0',
      broken: uncaught.length > 0,
    },
    ...memoryRows(evidence),
    ...(problems.length === 0
      ? []
      : [
          {
            label: `other problems: ${problems.length}, see below`,
            cells: columns.map(() => ''),
            limit: '0',
            broken: true,
          },
        ]),
  ]
}

function memoryRows({ plan, fleets, memory }: Evidence): Row[] {
  const roles = [
    ...Array.from({ length: plan.publishers }, (_, number) => `publisher ${number}`),
    ...Array.from({ length: plan.listeners }, (_, number) => `listener ${number}`),
  ]
  const own = fleets.length > 1 ? [''] : []
  const liveCell = (of: MemoryJudgement | undefined): string =>
    of === undefined ? '-' : `${megabytes(of.live)} ${of.growth < 0 ? '' : '+'}${percent(of.growth, 0)}`
  const residentCell = (of: MemoryJudgement | undefined): string =>
    of === undefined ? '-' : megabytes(of.resident)
  return [
    ...roles.flatMap((role): Row[] => {
      const all = plan.backends.map((backend) => memory.get(`${backend} ${role}`))
      const live = { label: `${role}: live MB (3)`, cells: [...all.map(liveCell), ...own] }
      const broken = !all.every((of) => of !== undefined && of.growth <= maxMemoryGrowth)
      return [
        plan.minutes < memoryMinutes
          ? live
          : { ...live, limit: `growth <= ${percent(maxMemoryGrowth, 0)}`, broken },
        { label: `${role}: resident MB`, cells: [...all.map(residentCell), ...own] },
      ]
    }),
    ...['orchestrator', 'auditor'].map(
      (name): Row => ({
        label: `${name}: live, resident MB`,
        cells: [
          ...(fleets.length > 1 ? plan.backends.map(() => '') : []),
          `${liveCell(memory.get(name))}, ${residentCell(memory.get(name))}`,
        ],
      }),
    ),
  ]
}

/** What stands under the table. */
export const definitions = [
  '(1) publishes started outside of every fault of that publisher (from the fault start to its end) that were true',
  '(2) from the end of a fault to the first true of a publish started after it, the worst of all publishers it concerned',
  '(3) heap after a collection and external memory, least in half a minute: after the first minute -> at the end',
]

const percent = (share: number, digits: number): string => `${(share * 100).toFixed(digits)} %`

const megabytes = (pair: readonly [number, number]): string =>
  pair.map((bytes) => (bytes / 1_048_576).toFixed(1)).join(' -> ')
