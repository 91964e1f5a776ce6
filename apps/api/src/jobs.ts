import { isEnded, type Job, type JobResult } from '@ps/jobs'
import { isJob, withoutRest } from './heard-messages.js'
import type { JobFiles, JobRecord, Upload } from './job-files.js'

/** How many jobs that have ended are kept. */
const maxEnded = 1_000
/** More jobs than this are not followed at once. */
const maxOpen = 10_000

/** A job as `GET /v1/jobs` gives it: without what it found. */
export type ListedJob = Omit<Job, 'result'> & { readonly upload?: string }
/** A job as `GET /v1/jobs/{id}` gives it: with what it found beside the rest. */
export type DetailedJob = ListedJob & Partial<Pick<JobResult, 'columns' | 'rejects' | 'truncated'>>

export interface HeldUpload {
  readonly upload: Upload
  release(): void
}

/** What this api knows of all jobs, as the engines tell it. */
export interface Jobs {
  /** Newest first. */
  list(): readonly ListedJob[]
  get(id: string): ListedJob | undefined
  detailed(id: string): Promise<DetailedJob | undefined>
  result(id: string): Promise<JobResult | undefined>
  /** An upload that a job still needs. It stays until it is released, also where that job ends before. */
  holdUpload(id: string): HeldUpload | undefined
  /** Whether a job that is not lost, or one that is about to start, needs this upload. */
  needsUpload(id: string): boolean
  /** A job that we are about to start; resolves when a restart would know of it. */
  add(job: Job, upload?: Upload): Promise<void>
  remove(id: string): Promise<void>
  hear(message: unknown): void
  /** Resolves with the job as its engine tells it, from now on. */
  nextReport(id: string, signal: AbortSignal): Promise<void>
  /** Every job of this engine that has not ended is lost, until it is heard of again. */
  loseOfEngine(engine: string): void
  /** Every job that has not been heard of since `time` (of `performance.now`) is lost, until it is heard of again. */
  loseUnheard(time: number): void
}

export interface JobsOptions {
  readonly files: JobFiles
  /** Lost, for those who watch; told of jobs that this api gave to their engine. */
  readonly onLost: (job: Job) => void
  /** A job has changed and not ended. */
  readonly onReport: (job: Job) => void
  /** A job has ended. */
  readonly onEnd: (id: string) => void
  /** Nothing needs this upload any more. */
  readonly onUploadFree: (id: string) => void
  /** A job was forgotten, with all that was kept of it. */
  readonly onForgotten: (id: string) => void
  readonly onError: (error: unknown, what: string) => void
}

interface Entry extends JobRecord {
  /** As the engine told it, without the result. */
  job: Job
  isLost: boolean
  /** When its engine told of it last. */
  heardAt: number
}

export async function createJobs(options: JobsOptions): Promise<Jobs> {
  const { files, onLost, onReport, onEnd, onUploadFree, onForgotten, onError } = options
  const entries = new Map<string, Entry>()
  // What has been found and is not on disk yet.
  const unsaved = new Map<string, JobResult>()
  const waiting = new Map<string, Set<() => void>>()

  for (const record of await files.load()) {
    entries.set(record.job.id, { ...record, isLost: false, heardAt: Number.NEGATIVE_INFINITY })
  }

  const newestFirst = (): Entry[] =>
    [...entries.values()].toSorted(
      (left, right) =>
        right.job.createdAt.localeCompare(left.job.createdAt) || right.job.id.localeCompare(left.job.id),
    )

  const isOpen = ({ job, isLost }: Entry): boolean => !isEnded(job.state) && !isLost

  const view = ({ job, isLost, upload }: Entry): ListedJob => ({
    ...job,
    ...(isLost && { state: 'lost' }),
    ...(upload !== undefined && !isEnded(job.state) && { upload: upload.id }),
  })

  const find = (uploadId: string): Entry[] =>
    [...entries.values()].filter(({ job, upload }) => upload?.id === uploadId && !isEnded(job.state))

  // How many jobs that are about to start need an upload, by its id.
  const holds = new Map<string, number>()

  const freeUpload = (id: string): void => {
    if (!holds.has(id) && find(id).length === 0) onUploadFree(id)
  }

  const hold = (id: string): (() => void) => {
    holds.set(id, (holds.get(id) ?? 0) + 1)
    return () => {
      const left = (holds.get(id) ?? 0) - 1
      if (left > 0) holds.set(id, left)
      else holds.delete(id)
      freeUpload(id)
    }
  }

  const save = async (entry: Entry, result?: JobResult): Promise<void> => {
    const { job, isOurs, upload } = entry
    await files.save({ job, isOurs, ...(upload !== undefined && { upload }) }, result)
  }

  const forget = async (id: string): Promise<void> => {
    const entry = entries.get(id)
    entries.delete(id)
    if (entry?.upload !== undefined) freeUpload(entry.upload.id)
    onForgotten(id)
    await files.remove(id)
  }

  const forgetOld = (): void => {
    const old = newestFirst().filter((entry) => !isOpen(entry))
    for (const { job } of old.slice(maxEnded)) {
      forget(job.id).catch((error: unknown) => onError(error, 'a job that is too old cannot be removed'))
    }
  }
  forgetOld()

  const end = (entry: Entry, result: JobResult | undefined): void => {
    const { job, upload } = entry
    onEnd(job.id)
    if (result !== undefined) unsaved.set(job.id, result)
    save(entry, result)
      .catch((error: unknown) => onError(error, 'a job that has ended cannot be saved'))
      .finally(() => unsaved.delete(job.id))
    if (upload !== undefined) freeUpload(upload.id)
    forgetOld()
  }

  const lose = (entry: Entry): void => {
    if (!isOpen(entry)) return
    entry.isLost = true
    if (entry.isOurs) onLost({ ...entry.job, state: 'lost' })
  }

  const resultOf = async (id: string): Promise<JobResult | undefined> =>
    unsaved.get(id) ?? (await files.result(id))

  return {
    list: () => newestFirst().map(view),
    get(id) {
      const entry = entries.get(id)
      return entry && view(entry)
    },
    async detailed(id) {
      const entry = entries.get(id)
      if (entry === undefined) return undefined
      const result = entry.job.state === 'done' ? await resultOf(id) : undefined
      if (result === undefined) return view(entry)
      const { columns, rejects, truncated } = result
      return { ...view(entry), columns, rejects, ...(truncated && { truncated }) }
    },
    result: resultOf,
    holdUpload(id) {
      const upload = find(id)[0]?.upload
      return upload && { upload, release: hold(id) }
    },
    needsUpload: (id) => holds.has(id) || find(id).some(isOpen),
    async add(job, upload) {
      const entry: Entry = {
        job,
        isOurs: true,
        isLost: false,
        heardAt: performance.now(),
        ...(upload !== undefined && { upload }),
      }
      entries.set(job.id, entry)
      await save(entry).catch((error: unknown) => {
        entries.delete(job.id)
        throw error
      })
    },
    remove: forget,
    hear(message) {
      // Lost is what every api finds out for itself.
      if (!isJob(message) || message.state === 'lost') return
      const { result } = message
      const job = withoutRest(message)
      const before = entries.get(job.id)
      if (before === undefined && entries.size >= maxOpen + maxEnded) return
      if (before !== undefined && before.job.revision > job.revision) return
      const entry = Object.assign(before ?? { isOurs: false, job, isLost: false, heardAt: 0 }, {
        isLost: false,
        heardAt: performance.now(),
      })
      const isNews = before === undefined || before.job.revision < job.revision
      entry.job = job
      entries.set(job.id, entry)
      for (const resolve of waiting.get(job.id) ?? []) resolve()
      if (!isEnded(job.state)) onReport(job)
      else if (isNews) end(entry, result)
    },
    nextReport(id, signal) {
      return new Promise((resolve, reject) => {
        const resolvers = waiting.get(id) ?? new Set()
        waiting.set(id, resolvers)
        const leave = (): void => {
          resolvers.delete(heard)
          if (resolvers.size === 0) waiting.delete(id)
          signal.removeEventListener('abort', abort)
        }
        const heard = (): void => {
          leave()
          resolve()
        }
        const abort = (): void => {
          leave()
          reject(signal.reason as Error)
        }
        resolvers.add(heard)
        signal.addEventListener('abort', abort)
      })
    },
    loseOfEngine(engine) {
      for (const entry of entries.values()) if (entry.job.engine === engine) lose(entry)
    },
    loseUnheard(time) {
      for (const entry of entries.values()) if (entry.heardAt < time) lose(entry)
    },
  }
}
