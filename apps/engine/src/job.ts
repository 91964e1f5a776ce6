/** How the input of a job is written: CSV with a header line, or one JSON object a line. */
export type InputFormat = 'csv' | 'ndjson'

/** How far a job has come. */
export interface JobProgress {
  /** Bytes of the input that have been worked through. */
  readonly bytes: number
  /** Rows taken in, without the rejected ones. */
  readonly rows: number
  /** Rows rejected. */
  readonly rejected: number
}

/** A row that the job could not use. */
export interface RejectedRow {
  /** The line of the input on which the row begins, from 1. A quoted line break counts as one. */
  readonly line: number
  /** What is wrong with the row, as the rest of a sentence that begins with it: `has 3 fields, the header has 7`. */
  readonly reason: string
  /** The row as it stands in the input, cut after 1,000 characters. */
  readonly text: string
}

/** What a job is given beside its input. */
export interface JobContext {
  /** How the input is written. */
  readonly format: InputFormat
  /** Aborted when the job is cancelled. The job then rejects with the signal's reason, at once. */
  readonly signal: AbortSignal
  /** Called often, and cheaply: whoever runs the job limits how often it is passed on. */
  progress(progress: JobProgress): void
  /** Called for every rejected row, in the order of the input. The job waits for it, so that a slow writer slows the job. */
  reject(row: RejectedRow): void | Promise<void>
}

/**
 * A kind of job: reads its input to the end in constant memory, reports progress and rejected rows on the way, and
 * resolves with its result. It rejects with a `JobFailure` for input that it cannot use, and with `signal.reason` when
 * cancelled. There is one file a kind in `jobs/`.
 */
export type Job<Result> = (input: AsyncIterable<Uint8Array>, context: JobContext) => Promise<Result>
