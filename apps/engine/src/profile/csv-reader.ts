import type { CsvError } from 'csv-parse'
import { JobFailure } from '../job-failure.js'
import type { RejectedRow } from '../job.js'
import { readHeaderLine, uniqueNames } from './csv-header.js'
import { type CsvParser, createCsvParser } from './csv-parser.js'
import { createLineWindow } from './line-window.js'
import {
  type Cell,
  type RecordBatch,
  type RecordReader,
  maximumColumns,
  maximumRecordBytes,
  rejectedText,
} from './record-reader.js'

const lineFeed = 0x0a
const carriageReturn = 0x0d
const quote = 0x22

/**
 * Reads CSV as RFC 4180 has it, and a little more: `,` `;` tab or `|` between the fields (as the header line says),
 * LF, CRLF and CR at the ends of lines, also mixed. An empty cell, quoted or not, is `null`. A blank line is skipped, except in a file
 * of one column, where it is an empty cell.
 *
 * Rejected: a row with more or fewer fields than the header, and a line with misplaced quotes (reading goes on with
 * the next line). Fails: an empty input, a quote that is never closed, a record over 1 MiB, more than 1,000 columns.
 */
export function createCsvReader(): RecordReader {
  const columns: string[] = []
  const window = createLineWindow()
  let rows: Cell[][] = []
  let rejected: RejectedRow[] = []
  let parser: CsvParser | undefined
  let parserBegin = 0
  let delimiter = ''
  let skipsBlankLines = false
  // Where the record being parsed begins, and why the line that begins there is going to be rejected.
  let recordBegin = 0
  let misplacedQuote: string | undefined

  const passed = (): number => parserBegin + (parser?.passedBytes() ?? 0)

  const reject = (begin: number, end: number, reason: string): void => {
    rejected.push({ line: window.lineOf(begin), reason, text: rejectedText(window.slice(begin, end)) })
  }

  const afterBlankLines = (place: number): number => {
    if (!skipsBlankLines) return place
    const bytes = window.slice(place, window.end)
    let blank = 0
    // A CR at the very end may be the first half of a CRLF.
    while (bytes[blank] === lineFeed || (bytes[blank] === carriageReturn && blank + 1 < bytes.length)) blank++
    return place + blank
  }

  /** Where the field that is being parsed opens with a quote. */
  const openQuote = (): number | undefined => {
    // The parser stands at the delimiter before the field, or at the end of the record before it.
    const place = afterBlankLines(Math.max(passed(), recordBegin))
    const [first, second] = window.slice(place, place + 2)
    if (first === quote) return place
    return first === delimiter.charCodeAt(0) && second === quote ? place + 1 : undefined
  }

  const tooLong = (begin: number): JobFailure =>
    new JobFailure(`the record that begins on line ${window.lineOf(begin)} is longer than 1 MiB`)

  const takeHeader = (record: readonly string[]): void => {
    if (record.length === 1 && record[0] === '') return
    if (record.length > maximumColumns) {
      throw new JobFailure(
        `the header has ${record.length} columns: at most ${maximumColumns} can be profiled`,
      )
    }
    columns.push(...uniqueNames(record))
  }

  const takeRecord = (record: string[]): void => {
    const begin = afterBlankLines(recordBegin)
    recordBegin = passed()
    if (recordBegin - begin > maximumRecordBytes) throw tooLong(begin)
    if (columns.length === 0) takeHeader(record)
    else if (record.length === columns.length) rows.push(record.map(emptyToNull))
    else reject(begin, recordBegin, `has ${fieldCount(record.length)}, the header has ${columns.length}`)
  }

  const startParser = (): void => {
    parserBegin = recordBegin
    parser = createCsvParser({ delimiter, skipBlankLines: skipsBlankLines, onRecord: takeRecord })
  }

  /** Parses what has come since the last call. A line with a misplaced quote ends the parser; the next begins behind it. */
  const parse = (bytes: Buffer, complete: boolean): void => {
    let unread = bytes
    for (;;) {
      if (misplacedQuote !== undefined) {
        const lineEnd = window.lineEnd(recordBegin)
        if (lineEnd === -1 && !complete) return
        const next = lineEnd === -1 ? window.end : lineEnd
        reject(recordBegin, next, misplacedQuote)
        misplacedQuote = undefined
        recordBegin = next
        startParser()
        unread = window.slice(next, window.end)
      }
      const error = parser?.write(unread) ?? (complete ? parser?.end() : undefined)
      if (error === undefined) return
      recordBegin = afterBlankLines(recordBegin)
      if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
        throw new JobFailure(
          `the quote that opens on line ${window.lineOf(openQuote() ?? recordBegin)} is never closed`,
        )
      }
      misplacedQuote = misplacedQuoteReason(error)
      if (columns.length === 0) {
        throw new JobFailure(`the header on line ${window.lineOf(recordBegin)} ${misplacedQuote}`)
      }
    }
  }

  const advance = (bytes: Buffer, complete: boolean): RecordBatch => {
    window.append(bytes)
    if (parser !== undefined) parse(bytes, complete)
    else {
      const all = window.slice(0, window.end)
      const header = readHeaderLine(all.toString(), complete || all.length > maximumRecordBytes)
      if (header !== undefined) {
        delimiter = header.delimiter
        skipsBlankLines = header.fields > 1
        startParser()
        parse(all, complete)
      }
    }
    if (misplacedQuote === undefined) recordBegin = afterBlankLines(recordBegin)
    if (window.end - recordBegin > maximumRecordBytes) {
      const place = misplacedQuote === undefined ? openQuote() : undefined
      if (place === undefined) throw tooLong(recordBegin)
      throw new JobFailure(`the quote that opens on line ${window.lineOf(place)} is not closed within 1 MiB`)
    }
    window.dropBefore(recordBegin)
    const batch = { rows, rejected }
    rows = []
    rejected = []
    return batch
  }

  return {
    columns,
    read: (bytes) => advance(bytes, false),
    end() {
      const batch = advance(Buffer.alloc(0), true)
      if (columns.length === 0) throw new JobFailure('the file is empty')
      return batch
    },
  }
}

const emptyToNull = (text: string): string | null => (text === '' ? null : text)

const fieldCount = (count: number): string => `${count} ${count === 1 ? 'field' : 'fields'}`

function misplacedQuoteReason(error: CsvError): string {
  if (error.code === 'INVALID_OPENING_QUOTE') return 'has a quote inside a field that does not begin with one'
  if (error.code === 'CSV_INVALID_CLOSING_QUOTE') {
    return 'has a quote that is not closed, or text behind a closing quote (inside quotes a quote is written "")'
  }
  throw error
}
