import { profile } from '../../src/jobs/profile.js'
import type { InputFormat, JobProgress, RejectedRow } from '../../src/job.js'
import { runJob } from '../../src/run-job.js'

export interface RunProfileOptions {
  readonly format?: InputFormat
  /** How many bytes a chunk of the input has. Default: all of them. */
  readonly chunkBytes?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: JobProgress) => void
  readonly onReject?: (row: RejectedRow) => void | Promise<void>
}

/** Profiles a text or some bytes. */
export function runProfile(
  input: string | Uint8Array,
  {
    format = 'csv',
    chunkBytes = Number.POSITIVE_INFINITY,
    signal = new AbortController().signal,
    onProgress,
    onReject,
  }: RunProfileOptions = {},
) {
  return runJob(profile, chunksOf(input, chunkBytes), { format, signal, onProgress, onReject })
}

/** The one column of a CSV file that has these cells. */
export async function profileColumn(...cells: readonly string[]) {
  const { columns } = await runProfile(`value\n${cells.join('\n')}\n`)
  return columns[0]!
}

/** The same bytes in chunks. */
export async function* chunksOf(input: string | Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    yield bytes.subarray(offset, Math.min(bytes.length, offset + chunkBytes))
  }
}
