import type { Evidence } from './evidence.js'
import type { Row } from './table.js'

/** Whatever went wrong in the processes of the fleets or around them: none of it may. */
export function problemRows({ plan, uncaught, problems }: Evidence): Row[] {
  const isSingle = plan.fleets.length === 1
  const uncaughtOf = (fleet: string): number => uncaught.filter((name) => name.startsWith(fleet)).length
  const row = {
    label: 'uncaught errors',
    cells: (isSingle ? [uncaught.length] : [...plan.fleets.map(uncaughtOf), uncaught.length]).map(String),
    limit: '0',
    broken: uncaught.length > 0,
  }
  if (problems.length === 0) return [row]
  const other = `other problems: ${problems.length}, see below`
  return [row, { label: other, cells: row.cells.map(() => ''), limit: '0', broken: true }]
}
