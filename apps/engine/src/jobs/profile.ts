import type { JobResult, RejectedRow } from '@ps/jobs'
import type { Job } from '../job.js'
import { type Column, createColumn } from '../profile/column.js'
import { createCsvReader } from '../profile/csv-reader.js'
import { fitResult } from '../profile/fit-result.js'
import { createMemoryBudget } from '../profile/memory-budget.js'
import { createNdjsonReader } from '../profile/ndjson-reader.js'
import type { RecordBatch } from '../profile/record-reader.js'
import { textSlices } from '../profile/text-slices.js'
import { typeOfJson, typeOfText } from '../profile/value-types.js'

const listedRejects = 1_000
// For the values counted in all columns together; 4 MiB are the most that one column takes.
const countingBytes = 32 * 1024 * 1024

/**
 * Describes every column of a table: its type, its range, how many values are missing, how many are different, which are
 * frequent. Reads the input once, in constant memory, in files of any size.
 */
export const profile: Job<JobResult> = async (input, { format, signal, progress, reject }) => {
  const reader = format === 'csv' ? createCsvReader() : createNdjsonReader()
  const typeOf = format === 'csv' ? typeOfText : typeOfJson
  const memory = createMemoryBudget(countingBytes)
  const columns: Column[] = []
  const rejects: RejectedRow[] = []
  let rows = 0
  let rejected = 0

  const take = async (batch: RecordBatch, bytes: number): Promise<void> => {
    for (const name of reader.columns.slice(columns.length))
      columns.push(createColumn({ name, typeOf, memory }))
    // Column by column: what is counted of one column then stays in the processor's cache.
    for (const [index, column] of columns.entries()) {
      for (const row of batch.rows) {
        const cell = row[index] ?? null
        if (cell !== null) column.add(cell)
      }
    }
    rows += batch.rows.length
    rejected += batch.rejected.length
    for (const row of batch.rejected) {
      if (rejects.length < listedRejects) rejects.push({ line: row.line, reason: row.reason })
      await reject(row)
    }
    progress({ bytes, rows, rejected })
  }

  let bytes = 0
  for await (const slice of textSlices(input, signal)) {
    bytes = slice.end
    await take(reader.read(slice.bytes), bytes)
  }
  await take(reader.end(), bytes)
  return fitResult({ rows, rejected, rejects, columns: columns.map((column) => column.profile(rows)) })
}
