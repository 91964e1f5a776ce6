import { isEnded, type Job, type JobAssignment, type JobResult, type JobState, queuedJob } from '@ps/jobs'
import { JobFailure } from '../job-failure.js'
import type { JobProgress } from '../job.js'

/** How long an accepted job is kept without being started, in milliseconds. */
const reservationTime = 5_000
/** How many jobs may wait behind the running ones. */
const maxQueued = 100
/** How many ended jobs are remembered, to tell an api that asks. */
const maxRemembered = 100

/** What a run of a job may tell while it runs. */
export interface JobRun {
  readonly assignment: JobAssignment
  readonly signal: AbortSignal
  progress(progress: JobProgress): void
  size(bytes: number): void
}

export interface WorkerJobsOptions {
  readonly engine: string
  readonly concurrency: number
  /** Does the work; rejects with a JobFailure for input that cannot be used. */
  readonly run: (run: JobRun) => Promise<JobResult>
  /** A job has changed. */
  readonly onChange: (job: Job) => void
  /** How many run or wait has changed. */
  readonly onLoadChange: () => void
  /** A job failed by our fault, not by its input's. */
  readonly onError: (id: string, error: unknown) => void
}

/** The jobs of one engine, from the offer to the end: each runs once. */
export interface WorkerJobs {
  readonly running: number
  readonly queued: number
  /** Keeps a place for the job for 5 s. Returns why not, where it is refused. */
  accept(assignment: JobAssignment): string | undefined
  /** Starts an accepted job. Returns the job where it has been started before, and then does nothing. */
  start(id: string): Job | undefined
  cancel(id: string): void
  /** Every job that it has or remembers. */
  list(): Job[]
  /** Ends every job as failed with `reason`; resolves when nothing runs. */
  close(reason: string): Promise<void>
}

interface Entry {
  readonly assignment: JobAssignment
  readonly abort: AbortController
  job: Job
  running: Promise<void> | undefined
}

export function createWorkerJobs(options: WorkerJobsOptions): WorkerJobs {
  const { engine, concurrency, run, onChange, onLoadChange } = options
  const reserved = new Map<string, { assignment: JobAssignment; timer: NodeJS.Timeout }>()
  const entries = new Map<string, Entry>()
  let closing: string | undefined

  const inState = (state: JobState): Entry[] =>
    [...entries.values()].filter((entry) => entry.job.state === state)

  const update = (entry: Entry, change: Partial<Job>): void => {
    entry.job = { ...entry.job, ...change, revision: entry.job.revision + 1 }
    onChange(entry.job)
  }

  const end = (entry: Entry, change: Partial<Job> & { state: JobState }): void => {
    update(entry, { ...change, endedAt: new Date().toISOString() })
    const ended = [...entries.values()].filter(({ job }) => isEnded(job.state))
    for (const { assignment } of ended.slice(0, Math.max(0, ended.length - maxRemembered)))
      entries.delete(assignment.id)
    onLoadChange()
    startNext()
  }

  const perform = async (entry: Entry): Promise<void> => {
    const { assignment, abort } = entry
    update(entry, { state: 'running', startedAt: new Date().toISOString() })
    try {
      const result = await run({
        assignment,
        signal: abort.signal,
        progress: ({ rows, rejected, bytes }) => update(entry, { rows, rejected, bytes }),
        size: (totalBytes) => update(entry, { totalBytes }),
      })
      end(entry, { state: 'done', rows: result.rows, rejected: result.rejected, result })
    } catch (error) {
      if (closing !== undefined) end(entry, { state: 'failed', error: closing })
      else if (abort.signal.aborted) end(entry, { state: 'cancelled' })
      else if (error instanceof JobFailure) end(entry, { state: 'failed', error: error.message })
      else {
        options.onError(assignment.id, error)
        end(entry, { state: 'failed', error: 'the engine failed; its log says why' })
      }
    }
  }

  const startNext = (): void => {
    if (closing !== undefined || inState('running').length >= concurrency) return
    const [next] = inState('queued')
    if (next === undefined) return
    next.running = perform(next)
    onLoadChange()
    startNext()
  }

  return {
    get running() {
      return inState('running').length
    },
    get queued() {
      return inState('queued').length + reserved.size
    },
    accept(assignment) {
      const { id } = assignment
      if (closing !== undefined) return 'it is stopping'
      if (entries.has(id)) return 'it has the job already'
      if (inState('queued').length + reserved.size >= maxQueued) return `${maxQueued} jobs wait already`
      clearTimeout(reserved.get(id)?.timer)
      const timer = setTimeout(() => {
        reserved.delete(id)
        onLoadChange()
      }, reservationTime)
      reserved.set(id, { assignment, timer })
      onLoadChange()
      return undefined
    },
    start(id) {
      const known = entries.get(id)
      if (known !== undefined) return known.job
      const reservation = reserved.get(id)
      if (reservation === undefined) return undefined
      clearTimeout(reservation.timer)
      reserved.delete(id)
      const { assignment } = reservation
      const entry: Entry = {
        assignment,
        abort: new AbortController(),
        running: undefined,
        job: queuedJob(assignment, engine, 1),
      }
      entries.set(id, entry)
      onChange(entry.job)
      onLoadChange()
      startNext()
      return undefined
    },
    cancel(id) {
      const reservation = reserved.get(id)
      if (reservation !== undefined) {
        clearTimeout(reservation.timer)
        reserved.delete(id)
        onLoadChange()
      }
      const entry = entries.get(id)
      if (entry === undefined || isEnded(entry.job.state)) return
      entry.abort.abort(new Error('cancelled'))
      if (entry.job.state === 'queued') end(entry, { state: 'cancelled' })
    },
    list: () => [...entries.values()].map(({ job }) => job),
    async close(reason) {
      closing = reason
      for (const { timer } of reserved.values()) clearTimeout(timer)
      reserved.clear()
      for (const entry of inState('queued')) end(entry, { state: 'failed', error: reason })
      const running = inState('running')
      for (const { abort } of running) abort.abort(new Error(reason))
      await Promise.all(running.flatMap(({ running: work }) => work ?? []))
    },
  }
}
