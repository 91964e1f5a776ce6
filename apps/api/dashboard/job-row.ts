import type { Job, JobState } from '@ps/jobs'
import { element, setText } from './element.js'
import { formatBytes, formatCount, formatDuration, formatPlural, formatTime } from './format.js'
import { isEnded } from './jobs-store.js'
import { createRate } from './rate.js'

export interface JobRowOptions {
  readonly onCancel: (id: string) => Promise<void>
  /** Makes what the opened row shows. */
  readonly loadResult: (id: string) => Promise<HTMLElement>
}

export interface JobRow {
  readonly node: HTMLLIElement
  update(job: Job): void
  /** Opens the result, as a press on its button does. */
  open(): void
  readonly isOpen: boolean
}

const stateWords: Readonly<Record<JobState, string>> = {
  queued: 'queued',
  running: 'running',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
  lost: 'lost',
}

/** One job of the list. It keeps its elements, so that focus stays where it is while numbers change. */
export function createJobRow({ onCancel, loadResult }: JobRowOptions): JobRow {
  const state = element('span', { class: 'state' })
  const name = element('h3', { class: 'job-name' })
  const facts = element('p', { class: 'facts' })
  const trouble = element('p', { class: 'trouble', role: 'status' })
  const bar = element('progress', { max: 1 })
  const cancel = element('button', { type: 'button', class: 'quiet' }, 'Cancel')
  const toggle = element('button', { type: 'button', 'aria-expanded': 'false' }, 'Result')
  const result = element('div', { class: 'job-result', hidden: true })
  const node = element(
    'li',
    { class: 'card job' },
    element('div', { class: 'job-head' }, state, name, element('div', { class: 'actions' }, cancel, toggle)),
    facts,
    trouble,
    result,
    bar,
  )
  const rate = createRate()
  let shown: Job | undefined
  let whyNotCancelled = ''
  let loads = 0

  const setOpen = (opened: boolean): void => {
    toggle.setAttribute('aria-expanded', String(opened))
    result.hidden = !opened
    if (opened) void load()
    else result.replaceChildren()
  }

  const load = async (): Promise<void> => {
    if (shown === undefined) return
    loads += 1
    const mine = loads
    if (result.childElementCount === 0)
      result.replaceChildren(element('p', { class: 'hint' }, 'Fetching the result…'))
    const content = await loadResult(shown.id).catch((error: unknown) =>
      element('p', { class: 'problem' }, error instanceof Error ? error.message : String(error)),
    )
    if (mine === loads && !result.hidden) result.replaceChildren(content)
  }

  cancel.addEventListener('click', () => {
    if (shown === undefined) return
    cancel.disabled = true
    whyNotCancelled = ''
    showTrouble()
    setText(cancel, 'Cancelling…')
    onCancel(shown.id).catch((error: unknown) => {
      cancel.disabled = false
      setText(cancel, 'Cancel')
      whyNotCancelled = `It could not be cancelled: ${error instanceof Error ? error.message : String(error)}`
      showTrouble()
    })
  })
  toggle.addEventListener('click', () => setOpen(result.hidden))

  return {
    node,
    update(job) {
      const ended = isEnded(job.state)
      const justEnded = shown !== undefined && shown.state !== job.state && ended
      shown = job
      if (job.state === 'running') rate.add(job, Date.now())
      node.dataset['state'] = job.state
      setText(state, stateWords[job.state])
      setText(name, job.name)
      name.title = job.name
      setText(facts, factsOf(job, rate.perSecond))
      if (ended) whyNotCancelled = ''
      showTrouble()
      cancel.setAttribute('aria-label', `Cancel ${job.name}`)
      toggle.setAttribute('aria-label', `Result of ${job.name}`)
      cancel.hidden = ended || job.state === 'lost'
      toggle.hidden = job.state !== 'done'
      bar.hidden = job.state !== 'running' && job.state !== 'queued'
      showProgress(job)
      if (justEnded && document.activeElement === cancel && job.state === 'done') toggle.focus()
    },
    open: () => setOpen(true),
    get isOpen() {
      return !result.hidden
    },
  }

  function showTrouble(): void {
    if (shown !== undefined) setText(trouble, troubleOf(shown) || whyNotCancelled)
  }

  function showProgress(job: Job): void {
    bar.setAttribute('aria-label', `Progress of ${job.name}`)
    const known = shareRead(job)
    if (known === undefined && job.state === 'running') bar.removeAttribute('value')
    else bar.value = known ?? 0
  }
}

/** Where the size is not known, nor is the share. */
function shareRead({ bytes, totalBytes }: Job): number | undefined {
  if (totalBytes === undefined || totalBytes === 0) return undefined
  return Math.min(1, bytes / totalBytes)
}

function factsOf(job: Job, speed: { readonly rows: number; readonly bytes: number } | undefined): string {
  const { state, rows, bytes, totalBytes, rejected } = job
  if (state === 'queued') return `waiting for a free place on ${job.engine}`
  const share = isEnded(state) ? undefined : shareRead(job)
  const facts = share === undefined ? [] : [`${Math.floor(share * 100)} %`]
  facts.push(formatPlural(rows, 'row'))
  if (rejected > 0) facts.push(`${formatCount(rejected)} rejected`)
  if (isEnded(state) || state === 'lost') {
    facts.push(
      formatBytes(bytes),
      ...durationFacts(job),
      formatTime(Date.parse(job.endedAt ?? job.createdAt)),
    )
    return facts.join(' · ')
  }
  facts.push(
    totalBytes === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`,
  )
  if (speed !== undefined) {
    facts.push(`${formatCount(speed.rows)} rows/s`)
    if (totalBytes !== undefined && speed.bytes > 0) {
      facts.push(`${formatDuration(Math.max(1_000, ((totalBytes - bytes) / speed.bytes) * 1_000))} left`)
    }
  }
  return facts.join(' · ')
}

function durationFacts({ startedAt, endedAt, rows }: Job): readonly string[] {
  if (startedAt === undefined || endedAt === undefined) return []
  const milliseconds = Date.parse(endedAt) - Date.parse(startedAt)
  if (Number.isNaN(milliseconds) || milliseconds < 1 || rows === 0) return []
  return [`in ${formatDuration(milliseconds)}`, `${formatCount((rows / milliseconds) * 1_000)} rows/s`]
}

function troubleOf({ state, error, engine }: Job): string {
  if (state === 'failed') return error ?? 'The engine does not say why.'
  if (state === 'lost') {
    return `Nothing has been heard of its engine, ${engine}, for a while. Where it turns up again, so does the job; else send the file again.`
  }
  return ''
}
