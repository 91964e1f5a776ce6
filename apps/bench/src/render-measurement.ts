import type { Measurement, Row } from './results.js'
import { figures, summarize, total } from './sample.js'

/** Faults that are always looked for, and shown where there are any. */
const faults = ['failed', 'lost', 'doubled', 'disordered'] as const

export const numberText = (value: number, digits: number): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** How much better than the other: of the medians, 2 is twice as good; `undefined` where one gave nothing. */
export function advantage(row: Row | undefined, over: Row | undefined, figure: string): number | undefined {
  const own = summarize(row?.samples ?? [], figure)?.median
  const other = summarize(over?.samples ?? [], figure)?.median
  if (own === undefined || other === undefined) return undefined
  return figures[figure]?.better === 'less' ? other / own : own / other
}

/** A measurement as lines of cells, the head first. */
export function measurementCells({ figure, shows, rows }: Measurement): readonly (readonly string[])[] {
  const head = ['', ...shows.flatMap((name) => [figures[name]?.title ?? name, 'min–max']).slice(0, 2)]
  for (const name of shows.slice(1)) head.push(figures[name]?.title ?? name)
  head.push('× raw', 'faults')
  return [head, ...rows.map((row) => rowCells(row, figure, shows, rows))]
}

function rowCells(
  row: Row,
  figure: string,
  shows: readonly string[],
  rows: readonly Row[],
): readonly string[] {
  const name = row.backend === 'none' ? row.contestant : `${row.backend}: ${row.contestant}`
  if (row.samples.length === 0) return [name, row.error ?? 'nothing']
  const cells = [name]
  for (const [index, shown] of shows.entries()) {
    const summary = summarize(row.samples, shown)
    const digits = figures[shown]?.digits ?? 0
    cells.push(summary === undefined ? '–' : numberText(summary.median, digits))
    if (index > 0) continue
    cells.push(
      summary === undefined ? '' : `${numberText(summary.min, digits)}–${numberText(summary.max, digits)}`,
    )
  }
  const base = rows.find((one) => one.base && one.backend === row.backend)
  const ratio = advantage(row, base, figure)
  cells.push(ratio === undefined ? '' : numberText(ratio, 2))
  const found = faults
    .map((fault) => [fault, total(row.samples, fault)] as const)
    .filter(([, count]) => count > 0)
    .map(([fault, count]) => `${numberText(count, 0)} ${figures[fault]?.title ?? fault}`)
  cells.push([...found, ...(row.error === undefined ? [] : [row.error])].join(', ') || 'none')
  return cells
}

/** A measurement as text. */
export function renderMeasurement(measurement: Measurement): string {
  const lines = measurementCells(measurement)
  const columns = Math.max(...lines.map((cells) => cells.length))
  // What went wrong may be long, and stands alone.
  const isWhole = (cells: readonly string[]): boolean => cells.length > 2
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...lines.filter(isWhole).map((cells) => (cells[column] ?? '').length)),
  )
  const text = lines.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 || column === columns - 1
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  return [`\n${measurement.title}`, ...text].join('\n')
}
