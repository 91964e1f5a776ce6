/**
 * `queued` (an engine has it, and is busy) → `running` → `done`, `failed` or `cancelled`. `lost`: its engine has not been heard of
 * for a while; where the engine turns up again, so does the job.
 */
export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'lost'

/** Whether a job in this state changes no more by itself. */
export const isEnded = (state: JobState): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled'

/** A job as everyone may see it: on the channel `jobs`, and (with its result) from the api. Holds no URL and no secret. */
export interface Job {
  readonly id: string
  readonly kind: string
  readonly state: JobState
  /** What the user calls the input: a file's name. */
  readonly name: string
  /** The engine that has it. */
  readonly engine: string
  /** ISO 8601 dates. */
  readonly createdAt: string
  readonly startedAt?: string
  readonly endedAt?: string
  /** Data rows taken in so far, without the rejected ones. */
  readonly rows: number
  /** Rows rejected so far. */
  readonly rejected: number
  /** Bytes of input read so far. */
  readonly bytes: number
  /** Bytes of input in all, where known. */
  readonly totalBytes?: number
  /** Why it failed, for people. */
  readonly error?: string
  /** Grows with every change of the job, so that a late message does not undo a newer one. */
  readonly revision: number
  /** Present from the state `done` on. */
  readonly result?: JobResult
}

/** What a job of the kind `profile` found. At most 256 kB as JSON. */
export interface JobResult {
  readonly rows: number
  readonly rejected: number
  readonly columns: readonly Column[]
  /** The first rejected rows, at most 1,000; all of them are in the job's file of rejects. */
  readonly rejects: readonly RejectedRow[]
  /** Set where values or rejects were cut to keep the size bounded. */
  readonly truncated?: true
}

export interface RejectedRow {
  /** The line of the file on which the row begins; the first line is 1. */
  readonly line: number
  readonly reason: string
}

export interface Column {
  readonly name: string
  readonly type: 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'string' | 'empty'
  /** Values that are not null. */
  readonly count: number
  readonly nulls: number
  /** Different values; where `distinctExact` is false, there are more than this. */
  readonly distinct: number
  readonly distinctExact: boolean
  readonly min: number | string | boolean | null
  readonly max: number | string | boolean | null
  /** Of numbers only. */
  readonly mean: number | null
  /** The five most frequent values; approximate where `frequentExact` is false. */
  readonly frequent: readonly Frequent[]
  readonly frequentExact: boolean
}

export interface Frequent {
  readonly value: string
  readonly count: number
}
