import type { InputFormat, Job, JobProgress, RejectedRow } from './job.js'
import { limitProgress } from './progress.js'

/** What a run of a job needs, and whom it tells. */
export interface RunJobOptions {
  /** How the input is written. */
  readonly format: InputFormat
  /** Cancels the job. */
  readonly signal: AbortSignal
  /** Told at most ten times a second, and always at the end. Default: nobody. */
  readonly onProgress?: ((progress: JobProgress) => void) | undefined
  /** Told of every rejected row; the job waits for it. Default: nobody. */
  readonly onReject?: ((row: RejectedRow) => void | Promise<void>) | undefined
}

/** Runs a job to its end. What holds for every kind of job is kept here, so that no job need think of it. */
export async function runJob<Result>(
  job: Job<Result>,
  input: AsyncIterable<Uint8Array>,
  { format, signal, onProgress = () => {}, onReject = () => {} }: RunJobOptions,
): Promise<Result> {
  const progress = limitProgress(onProgress)
  try {
    return await job(input, { format, signal, progress: progress.report, reject: onReject })
  } finally {
    progress.flush()
  }
}
