import type { Job } from '@ps/jobs'
import { pageElement, setText } from './element.js'
import { createJobRow, type JobRow, type JobRowOptions } from './job-row.js'
import { isEnded } from './jobs-store.js'

export interface JobsView {
  /** Shows these jobs, newest first, in the next frame. */
  show(jobs: readonly Job[]): void
  /** Opens the result of this job when it is done, unless another is open by then. */
  openWhenDone(id: string): void
}

/** The list of jobs. */
export function createJobsView(options: JobRowOptions): JobsView {
  const list = pageElement('jobs', HTMLUListElement)
  const empty = pageElement('jobs-empty', HTMLParagraphElement)
  const news = pageElement('jobs-news', HTMLParagraphElement)
  const rows = new Map<string, JobRow>()
  const shown = new Map<string, Job>()
  const wanted = new Set<string>()
  let pending: readonly Job[] | undefined

  const render = (): void => {
    const jobs = pending ?? []
    pending = undefined
    empty.hidden = jobs.length > 0
    const present = new Set(jobs.map(({ id }) => id))
    for (const [id, row] of rows) {
      if (present.has(id)) continue
      row.node.remove()
      rows.delete(id)
      shown.delete(id)
    }
    for (const [index, job] of jobs.entries()) {
      const row = rows.get(job.id) ?? createJobRow(options)
      rows.set(job.id, row)
      if (list.children[index] !== row.node) list.insertBefore(row.node, list.children[index] ?? null)
      if (shown.get(job.id) !== job) {
        row.update(job)
        announce(job, shown.get(job.id))
        shown.set(job.id, job)
      }
      openWhereWanted(job, row)
    }
  }

  const announce = ({ name, state }: Job, before: Job | undefined): void => {
    if (before === undefined || before.state === state) return
    if (isEnded(state) || state === 'lost') setText(news, `${name}: ${state}`)
  }

  const openWhereWanted = ({ id, state }: Job, row: JobRow): void => {
    if (!isEnded(state) || !wanted.delete(id)) return
    if (state === 'done' && list.querySelector('[aria-expanded="true"]') === null) row.open()
  }

  return {
    show(jobs) {
      // Not in the frame: a hidden page has none, and its title is what one sees of it.
      const active = jobs.filter(({ state }) => state === 'running' || state === 'queued').length
      document.title = active === 0 ? 'Pub/sub dashboard' : `${active} running · Pub/sub dashboard`
      if (pending === undefined) requestAnimationFrame(render)
      pending = jobs
    },
    openWhenDone: (id) => void wanted.add(id),
  }
}
