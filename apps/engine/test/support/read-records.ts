import type { RejectedRow } from '../../src/job.js'
import { createCsvReader } from '../../src/profile/csv-reader.js'
import { createNdjsonReader } from '../../src/profile/ndjson-reader.js'
import type { Cell, RecordReader } from '../../src/profile/record-reader.js'
import { textSlices } from '../../src/profile/text-slices.js'

export interface Records {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  readonly rejected: readonly RejectedRow[]
}

export const readCsv = (chunks: readonly (string | Uint8Array)[]): Promise<Records> =>
  readAll(createCsvReader(), chunks)

export const readNdjson = (chunks: readonly (string | Uint8Array)[]): Promise<Records> =>
  readAll(createNdjsonReader(), chunks)

async function readAll(reader: RecordReader, chunks: readonly (string | Uint8Array)[]): Promise<Records> {
  const rows: (readonly Cell[])[] = []
  const rejected: RejectedRow[] = []
  const input = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk)
  })()
  for await (const slice of textSlices(input, new AbortController().signal)) {
    const batch = reader.read(slice.bytes)
    rows.push(...batch.rows)
    rejected.push(...batch.rejected)
  }
  const last = reader.end()
  return { columns: reader.columns, rows: [...rows, ...last.rows], rejected: [...rejected, ...last.rejected] }
}

/** What is read must not depend on where the input was cut: every way to cut it in two, and every byte alone. */
export function* everyCut(input: string | Uint8Array): Generator<readonly Uint8Array[]> {
  const bytes = Buffer.from(input)
  yield Array.from(bytes, (byte) => Uint8Array.of(byte))
  for (let cut = 0; cut <= bytes.length; cut++) yield [bytes.subarray(0, cut), bytes.subarray(cut)]
}
