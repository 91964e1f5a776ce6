import type { Job, JobResult, JobState } from '@ps/jobs'

/** Whether a job in this state changes no more by itself. A lost one may: its engine can turn up again. */
export const isEnded = (state: JobState): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled'

export interface JobsStore {
  /** Newest first. */
  list(): readonly Job[]
  /** Takes what was heard of one job, where nothing newer is known. */
  put(job: Job): void
  /** Takes a whole list that was asked for at `askedAt`; jobs neither in it nor heard of since are dropped. */
  replaceAll(jobs: readonly Job[], askedAt: number): void
  /** When something was last heard of the job that has been silent for longest, among those that are not at their end. */
  oldestNews(): number | undefined
}

/** More than the api keeps. Older jobs are forgotten: a page that stays open for months must not grow. */
const maxJobs = 2_000

/** What is known of the jobs. Their results are left out, since a page shows few and can have them any time. */
export function createJobsStore(onChange: () => void): JobsStore {
  const known = new Map<string, { readonly job: Job; readonly heardAt: number }>()

  // In their order, which no change of a job moves: it is asked for with every message.
  let order: readonly Job[] | undefined

  const list = (): readonly Job[] => {
    order ??= [...known.values()].map(({ job }) => job).toSorted(newestFirst)
    return order.map((job) => known.get(job.id)?.job ?? job)
  }

  const take = (heard: Job): void => {
    const job = withoutResult(heard)
    const before = known.get(job.id)
    if (before !== undefined && before.job.revision > job.revision) return
    known.set(job.id, { job, heardAt: Date.now() })
    if (before === undefined) order = undefined
  }

  const forget = (id: string): void => {
    known.delete(id)
    order = undefined
  }

  const changed = (): void => {
    for (const { id } of known.size > maxJobs ? list().slice(maxJobs) : []) forget(id)
    onChange()
  }

  return {
    list,
    put(job) {
      take(job)
      changed()
    },
    replaceAll(jobs, askedAt) {
      const held = new Set(jobs.map(({ id }) => id))
      for (const [id, { heardAt }] of known) if (!held.has(id) && heardAt < askedAt) forget(id)
      for (const job of jobs) take(job)
      changed()
    },
    oldestNews() {
      const open = [...known.values()].filter(({ job }) => !isEnded(job.state) && job.state !== 'lost')
      return open.length === 0 ? undefined : Math.min(...open.map(({ heardAt }) => heardAt))
    },
  }
}

/** Times of this form are in the order of their letters. */
function newestFirst(left: Job, right: Job): number {
  if (left.createdAt !== right.createdAt) return left.createdAt < right.createdAt ? 1 : -1
  return left.id < right.id ? 1 : -1
}

function withoutResult(job: Job): Job {
  const copy: Omit<Job, 'result'> & { result?: JobResult } = { ...job }
  delete copy.result
  return copy
}
