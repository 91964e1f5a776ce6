import type { Evidence } from './evidence.js'
import type { MemoryJudgement } from './judge-memory.js'
import { percent, type Row } from './table.js'

/** Shorter runs are not judged on memory. */
const memoryMinutes = 3

/** The memory of every process. `maxGrowth` is what a publisher or listener may grow by: 0.1 is a tenth. */
export function memoryRows({ plan, memory }: Evidence, maxGrowth: number): Row[] {
  const roles = [
    ...Array.from({ length: plan.publishers }, (_, number) => `publisher ${number}`),
    ...Array.from({ length: plan.listeners }, (_, number) => `listener ${number}`),
  ]
  const own = plan.fleets.length > 1 ? [''] : []
  const liveCell = (of: MemoryJudgement | undefined): string =>
    of === undefined ? '-' : `${megabytes(of.live)} ${of.growth < 0 ? '' : '+'}${percent(of.growth, 0)}`
  const residentCell = (of: MemoryJudgement | undefined): string =>
    of === undefined ? '-' : megabytes(of.resident)
  return [
    ...roles.flatMap((role): Row[] => {
      const all = plan.fleets.map((fleet) => memory.get(`${fleet} ${role}`))
      const live = { label: `${role}: live MB (3)`, cells: [...all.map(liveCell), ...own] }
      const broken = !all.every((of) => of !== undefined && of.growth <= maxGrowth)
      return [
        plan.minutes < memoryMinutes
          ? live
          : { ...live, limit: `growth <= ${percent(maxGrowth, 0)}`, broken },
        { label: `${role}: resident MB`, cells: [...all.map(residentCell), ...own] },
      ]
    }),
    ...['orchestrator', 'auditor'].map(
      (name): Row => ({
        label: `${name}: live, resident MB`,
        cells: [
          ...(plan.fleets.length > 1 ? plan.fleets.map(() => '') : []),
          `${liveCell(memory.get(name))}, ${residentCell(memory.get(name))}`,
        ],
      }),
    ),
  ]
}

const megabytes = (pair: readonly [number, number]): string =>
  pair.map((bytes) => (bytes / 1_048_576).toFixed(1)).join(' -> ')
