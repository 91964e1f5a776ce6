import type { Column, JobResult } from '@ps/jobs'
import type { Extreme } from './extremes.js'

const maximumResultBytes = 256_000
// The lengths to which names and values are cut, one after the other, until the columns fit.
const valueLengths = [200, 80, 40, 20]

/**
 * Makes a result fit 256,000 bytes of JSON, so that it fits one message. Rejected rows go first, then the ends of long names
 * and values (an ellipsis tells), then frequent values, in the end the last columns; `truncated` says that something did.
 */
export function fitResult(result: JobResult): JobResult {
  const { rejects, columns } = result
  const withColumns = (candidates: readonly Column[]): JobResult => ({
    ...result,
    rejects: [],
    columns: candidates,
    truncated: true,
  })
  const fits = (candidates: readonly Column[]): boolean =>
    jsonBytes(withColumns(candidates)) <= maximumResultBytes

  const [longest = 0, ...shorter] = valueLengths
  let shortened = columns.map((column) => shorten(column, longest))
  for (const length of shorter) {
    if (fits(shortened)) break
    shortened = columns.map((column) => shorten(column, length))
  }
  if (!fits(shortened)) shortened = shortened.map((column) => ({ ...column, frequent: [] }))
  while (!fits(shortened)) shortened = shortened.slice(0, Math.floor(shortened.length * 0.9))

  const room = maximumResultBytes - jsonBytes(withColumns(shortened))
  const kept = rejects.slice(0, countWithin(rejects, room))
  const isComplete = kept.length === rejects.length && jsonBytes(shortened) === jsonBytes(columns)
  return isComplete ? result : { ...result, rejects: kept, columns: shortened, truncated: true }
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** How many values from the first on take no more than so many bytes, with the commas between them. */
function countWithin(values: readonly unknown[], bytes: number): number {
  let used = 0
  const beyond = values.findIndex((value) => {
    used += jsonBytes(value) + 1
    return used > bytes
  })
  return beyond === -1 ? values.length : beyond
}

function shorten(column: Column, length: number): Column {
  return {
    ...column,
    name: cut(column.name, length),
    min: cutExtreme(column.min, length),
    max: cutExtreme(column.max, length),
    frequent: column.frequent.map(({ value, count }) => ({ value: cut(value, length), count })),
  }
}

const cutExtreme = (extreme: Extreme, length: number): Extreme =>
  typeof extreme === 'string' ? cut(extreme, length) : extreme

/** The text with at most so many characters, the last one an ellipsis where something is missing. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text
  // Without half a surrogate pair at the end.
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
