import type { RejectedRow } from '../job.js'

/** One value of a row; `null` where there is none. A `bigint` is an integer that a `number` would not hold exactly. */
export type Cell = string | number | boolean | bigint | null

/** What a reader has made of some bytes. */
export interface RecordBatch {
  /** The sound rows; a cell stands where its column stands in `columns`. Cells missing at the end are `null`. */
  readonly rows: readonly (readonly Cell[])[]
  /** The others, in the order of the input. */
  readonly rejected: readonly RejectedRow[]
}

/** Turns slices of text into rows. Both methods throw a `JobFailure` where no row could be trusted from here on. */
export interface RecordReader {
  /** The names of the columns known so far, in the order in which they appeared. Grows, and never changes otherwise. */
  readonly columns: readonly string[]
  /** Takes the next slice of the input. */
  read(bytes: Buffer): RecordBatch
  /** Says that the input has ended. */
  end(): RecordBatch
}

/** The longest record that is read, in bytes: memory is bounded by it. */
export const maximumRecordBytes = 1024 * 1024

/** How many columns there may be: memory and the size of the result are bounded by it. */
export const maximumColumns = 1_000

const maximumRejectedCharacters = 1_000

/** The text of a rejected row, short enough to be kept. */
export function rejectedText(bytes: Buffer): string {
  // No character has more than four bytes. What follows from a character cut in two lies behind the last one kept.
  return bytes
    .toString('utf8', 0, maximumRejectedCharacters * 4)
    .trimEnd()
    .slice(0, maximumRejectedCharacters)
}
