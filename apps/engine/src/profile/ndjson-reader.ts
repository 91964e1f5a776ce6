import { JobFailure } from '../job-failure.js'
import type { RejectedRow } from '../job.js'
import { memberTexts } from './member-texts.js'
import {
  type Cell,
  type RecordBatch,
  type RecordReader,
  maximumColumns,
  maximumRecordBytes,
  rejectedText,
} from './record-reader.js'

const lineFeed = 0x0a
const maximumKeyCharacters = 1_000
// From 2^53 on, which has 16 digits, a parsed number may have lost digits.
const longNumber = /\d{16}/
const integer = /^-?\d+$/

type JsonObject = Record<string, unknown>

/**
 * Reads one JSON object a line. The columns are all the keys that occur; a key that a line does not have is `null`
 * there, and a nested value is its JSON as a string. A blank line is skipped.
 *
 * Rejected: a line that is not a JSON object, or is nested thousands of levels deep. Fails: an empty input, a line over 1 MiB, more than 1,000 different keys.
 */
export function createNdjsonReader(): RecordReader {
  const columns: string[] = []
  const places = new Map<string, number>()
  let rows: Cell[][] = []
  let rejected: RejectedRow[] = []
  let unread: Buffer = Buffer.alloc(0)
  let line = 0
  let blank = true

  const placeOf = (key: string): number => {
    const known = places.get(key)
    if (known !== undefined) return known
    if (columns.length === maximumColumns) {
      throw new JobFailure(
        `line ${line} has one more new key: at most ${maximumColumns} columns can be profiled`,
      )
    }
    places.set(key, columns.length)
    return columns.push(key) - 1
  }

  const toRow = (object: JsonObject, source: string): Cell[] | { reason: string } => {
    const texts = longNumber.test(source) ? memberTexts(source) : undefined
    const row = Array.from<Cell>({ length: columns.length }).fill(null)
    for (const key of Object.keys(object)) {
      const cell = toCell(object[key], texts?.get(key))
      // What can be parsed can be nested too deeply to be written again.
      if (cell === undefined) return { reason: 'is nested too deeply' }
      row[placeOf(key)] = cell
    }
    return row
  }

  const takeLine = (bytes: Buffer): void => {
    line++
    if (bytes.length > maximumRecordBytes) throw new JobFailure(`line ${line} is longer than 1 MiB`)
    const source = bytes.toString()
    if (source.trim() === '') return
    blank = false
    const parsed = parseObject(source)
    const row = 'object' in parsed ? toRow(parsed.object, source) : parsed
    if ('reason' in row) rejected.push({ line, reason: row.reason, text: rejectedText(bytes) })
    else rows.push(row)
  }

  const takeBatch = (): RecordBatch => {
    const batch = { rows, rejected }
    rows = []
    rejected = []
    return batch
  }

  return {
    columns,
    read(bytes) {
      const all = unread.length === 0 ? bytes : Buffer.concat([unread, bytes])
      let begin = 0
      for (let end = all.indexOf(lineFeed); end !== -1; end = all.indexOf(lineFeed, begin)) {
        takeLine(all.subarray(begin, end))
        begin = end + 1
      }
      unread = all.subarray(begin)
      if (unread.length > maximumRecordBytes) throw new JobFailure(`line ${line + 1} is longer than 1 MiB`)
      return takeBatch()
    },
    end() {
      if (unread.length > 0) takeLine(unread)
      unread = Buffer.alloc(0)
      if (blank) throw new JobFailure('the file is empty')
      return takeBatch()
    },
  }
}

function parseObject(source: string): { object: JsonObject } | { reason: string } {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch {
    return { reason: 'is not valid JSON' }
  }
  if (value === null) return { reason: 'is null, not an object' }
  if (Array.isArray(value)) return { reason: 'is an array, not an object' }
  if (typeof value !== 'object') return { reason: `is a ${typeof value}, not an object` }
  const object = value as JsonObject
  if (Object.keys(object).some((key) => key.length > maximumKeyCharacters)) {
    return { reason: `has a key of more than ${maximumKeyCharacters} characters` }
  }
  return { object }
}

function toCell(value: unknown, text: string | undefined): Cell | undefined {
  if (typeof value === 'number') {
    return text !== undefined && !Number.isSafeInteger(value) && integer.test(text) ? BigInt(text) : value
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (value === null || value === undefined) return null
  try {
    return text ?? JSON.stringify(value)
  } catch {
    return undefined
  }
}
