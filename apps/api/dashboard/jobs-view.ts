import type { Job } from '@ps/jobs'
import { pageElement, setText } from './element.js'
import { formatCount, formatPlural } from './format.js'
import { createJobFilter } from './job-filter.js'
import { createJobRow, type JobRow, type JobRowOptions } from './job-row.js'
import { isEnded } from './jobs-store.js'

export interface JobsView {
  /** Shows these jobs, newest first, in the next frame. */
  show(jobs: readonly Job[]): void
  /** Opens the result of this job when it is done, unless another is open by then. */
  openWhenDone(id: string): void
}

/** How many jobs are shown at first, and how many more each time. */
const pageSize = 50

/** The list of jobs: those that match the filter, a page of them at first. */
export function createJobsView(options: JobRowOptions): JobsView {
  const list = pageElement('jobs', HTMLUListElement)
  const filterForm = pageElement('jobs-filter', HTMLFormElement)
  const state = pageElement('job-state', HTMLSelectElement)
  const name = pageElement('job-name', HTMLInputElement)
  const count = pageElement('jobs-count', HTMLParagraphElement)
  const more = pageElement('jobs-more', HTMLButtonElement)
  const empty = pageElement('jobs-empty', HTMLParagraphElement)
  const news = pageElement('jobs-news', HTMLParagraphElement)
  const rows = new Map<string, JobRow>()
  const shown = new Map<string, Job>()
  const wanted = new Set<string>()
  let jobs: readonly Job[] | undefined
  // A browser that goes back to a page fills in what was there.
  let filter = createJobFilter(state.value, name.value)
  let limit = pageSize
  let isScheduled = false

  const schedule = (): void => {
    if (isScheduled) return
    isScheduled = true
    requestAnimationFrame(render)
  }

  const render = (): void => {
    isScheduled = false
    if (jobs === undefined) return
    const matching = jobs.filter(filter.matches)
    // Newer jobs push others down: what somebody reads stays.
    const visible = matching.filter(({ id }, index) => index < limit || rows.get(id)?.isOpen)
    showCounts(jobs.length, matching.length, visible.length)
    showRows(visible)
  }

  const showCounts = (all: number, matching: number, visible: number): void => {
    filterForm.hidden = all === 0
    empty.hidden = matching > 0
    setText(empty, all === 0 ? 'No jobs yet.' : 'No job matches.')
    const rest = matching - visible
    const found = filter.isOn
      ? `${formatCount(matching)} of ${formatPlural(all, 'job')}`
      : formatPlural(all, 'job')
    setText(count, rest > 0 ? `${found}, ${formatCount(visible)} shown` : found)
    // A button that goes would take the focus along.
    if (rest === 0 && document.activeElement === more) count.focus()
    more.hidden = rest === 0
    setText(more, `Show ${formatCount(Math.min(pageSize, rest))} more`)
  }

  const showRows = (visible: readonly Job[]): void => {
    const present = new Set(visible.map(({ id }) => id))
    for (const [id, row] of rows) {
      if (present.has(id)) continue
      row.node.remove()
      rows.delete(id)
      shown.delete(id)
    }
    for (const [index, job] of visible.entries()) {
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

  const announce = (job: Job, before: Job | undefined): void => {
    if (before === undefined || before.state === job.state) return
    if (isEnded(job.state) || job.state === 'lost') setText(news, `${job.name}: ${job.state}`)
  }

  const openWhereWanted = (job: Job, row: JobRow): void => {
    if (!isEnded(job.state) || !wanted.delete(job.id)) return
    if (job.state === 'done' && list.querySelector('[aria-expanded="true"]') === null) row.open()
  }

  const applyFilter = (): void => {
    filter = createJobFilter(state.value, name.value)
    limit = pageSize
    schedule()
  }
  state.addEventListener('change', applyFilter)
  name.addEventListener('input', applyFilter)
  filterForm.addEventListener('submit', (event) => event.preventDefault())
  more.addEventListener('click', () => {
    limit += pageSize
    schedule()
  })

  return {
    show(next) {
      // Not in the frame: a hidden page has none, and its title is what one sees of it.
      const active = next.filter(({ state }) => state === 'running' || state === 'queued').length
      document.title = active === 0 ? 'Pub/sub dashboard' : `${active} running · Pub/sub dashboard`
      jobs = next
      schedule()
    },
    openWhenDone: (id) => void wanted.add(id),
  }
}
