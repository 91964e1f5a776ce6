import type { Column, JobResult } from '@ps/jobs'

/** How a table is laid out. */
export interface ProfileTableOptions {
  /** What the input is called. */
  readonly name: string
  /** How many characters a line may have. */
  readonly width: number
}

const gap = '  '
const narrowest = 6
const listedRejects = 5
const separator = ' · '
const counts = new Intl.NumberFormat('en-US')
const headings = ['column', 'type', 'nulls', 'distinct', 'min', 'max', 'mean']
// The name and the type are read from the left; all else is mostly numbers.
const leftAligned = 2
// Which columns give way when the table is too wide: name, min and max.
const shrinkable = [0, 4, 5]

/** The result as text for a terminal: a line a column, then the frequent values, then the first rejected rows. */
export function profileTable(result: JobResult, { name, width }: ProfileTableOptions): string {
  const { rows, rejected, columns, rejects, truncated } = result
  const summary = [
    printable(name),
    amount(rows, 'row'),
    amount(columns.length, 'column'),
    ...(rejected > 0 ? [amount(rejected, 'rejected row')] : []),
  ]
  const lines = [summary.join(separator)]
  if (columns.length > 0) {
    const table = layOut([headings, ...columns.map(cellsOf)], width)
    const nameWidth = table.widths[0] ?? 0
    lines.push('', ...table.lines, '', 'most frequent values')
    lines.push(...columns.map((column) => frequentLine(column, nameWidth, width)))
  }
  if (rejected > 0) {
    lines.push('', 'rejected rows')
    const listed = rejects.slice(0, listedRejects)
    lines.push(...listed.map(({ line, reason }) => cut(`line ${counts.format(line)} ${reason}`, width)))
    if (rejected > listed.length) lines.push(`… and ${counts.format(rejected - listed.length)} more`)
  }
  if (truncated) lines.push('', 'Some of the result was cut to keep it small.')
  return `${lines.join('\n')}\n`
}

function cellsOf(column: Column): string[] {
  return [
    printable(column.name),
    column.type,
    counts.format(column.nulls),
    (column.distinctExact ? '' : '>') + counts.format(column.distinct),
    column.min === null ? '' : printable(String(column.min)),
    column.max === null ? '' : printable(String(column.max)),
    column.mean === null ? '' : meanText(column.mean),
  ]
}

/** Four decimals, so that the points stand below each other, as long as that leaves some digits. */
function meanText(mean: number): string {
  const size = Math.abs(mean)
  return mean === 0 || (size >= 0.001 && size < 1e15) ? mean.toFixed(4) : mean.toPrecision(5)
}

function frequentLine(column: Column, nameWidth: number, width: number): string {
  let line = cut(printable(column.name), nameWidth).padEnd(nameWidth) + gap
  const first = column.frequent[0]
  if (first === undefined) {
    if (column.type === 'empty') return `${line}no values`
    return line + (column.frequentExact ? 'left out' : 'none stands out')
  }
  if (first.count === 1 && column.frequentExact) return `${line}all different`
  const begin = line.length
  for (const { value, count } of column.frequent) {
    const number = `(${column.frequentExact ? '' : '≥'}${counts.format(count)})`
    const room = width - begin - number.length - 1
    const item = `${cut(printable(value), Math.max(room, 1))} ${number}`
    if (line.length === begin) line += item
    else if (line.length + separator.length + item.length <= width) line += separator + item
    else break
  }
  return line
}

function layOut(table: readonly (readonly string[])[], width: number): { lines: string[]; widths: number[] } {
  const widths = headings.map((_, index) => Math.max(...table.map((cells) => lengthOf(cells[index] ?? ''))))
  const total = (): number => widths.reduce((sum, each) => sum + each, gap.length * (widths.length - 1))
  while (total() > width) {
    const widest = shrinkable.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a))
    const now = widths[widest] ?? 0
    if (now <= narrowest) break
    widths[widest] = now - 1
  }
  const lines = table.map((cells) =>
    cells
      .map((cell, index) => pad(cut(cell, widths[index] ?? 0), widths[index] ?? 0, index < leftAligned))
      .join(gap)
      .trimEnd(),
  )
  return { lines, widths }
}

const lengthOf = (text: string): number => Array.from(text).length

function pad(text: string, width: number, left: boolean): string {
  const padding = ' '.repeat(Math.max(0, width - lengthOf(text)))
  return left ? text + padding : padding + text
}

function cut(text: string, width: number): string {
  const characters = Array.from(text)
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`
}

/** Without what would command the terminal: escape sequences, line breaks. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, '·')

const amount = (count: number, thing: string): string =>
  `${counts.format(count)} ${thing}${count === 1 ? '' : 's'}`
