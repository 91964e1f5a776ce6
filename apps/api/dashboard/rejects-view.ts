import { rejectsPath, type JobDetail } from './api.js'
import { element } from './element.js'
import { formatCount, formatPlural } from './format.js'

export interface RejectsViewOptions {
  readonly job: JobDetail
  /** Fetches all rejected rows, where a link cannot because the api wants a token. */
  readonly fetchRejects: (() => Promise<Blob>) | undefined
}

/** As many as one can take in; the file holds them all. */
const shownRejects = 10

/** The first rejected rows of a job, and a way to all of them. */
export function rejectsView({ job, fetchRejects }: RejectsViewOptions): HTMLElement {
  const { rejected, rejects = [] } = job
  if (rejected === 0) return element('p', { class: 'hint' }, 'No row was rejected.')
  const shown = rejects.slice(0, shownRejects)
  return element(
    'section',
    { class: 'rejects', 'aria-label': 'Rejected rows' },
    element(
      'div',
      { class: 'rejects-head' },
      element('h4', {}, formatPlural(rejected, 'rejected row')),
      fetchRejects === undefined ? downloadLink(job) : downloadButton(job, fetchRejects),
    ),
    element(
      'ol',
      { class: 'reject-list' },
      ...shown.map(({ line, reason }) =>
        element('li', {}, element('span', { class: 'line' }, `line ${formatCount(line)}`), reason),
      ),
    ),
    shown.length < rejected
      ? element('p', { class: 'hint' }, `… and ${formatCount(rejected - shown.length)} more in the file.`)
      : undefined,
  )
}

const fileName = ({ name }: JobDetail): string => `${name}.rejects.ndjson`

const downloadLink = (job: JobDetail): HTMLElement =>
  element('a', { href: rejectsPath(job.id), download: fileName(job) }, 'Download all')

/** A link cannot carry a token: the file is fetched, then handed over. */
function downloadButton(job: JobDetail, fetchRejects: () => Promise<Blob>): HTMLElement {
  const button = element('button', { type: 'button', class: 'quiet' }, 'Download all')
  const download = async (): Promise<void> => {
    const address = URL.createObjectURL(await fetchRejects())
    element('a', { href: address, download: fileName(job) }).click()
    // The browser has begun to read it by the next task; before, revoking would cancel the download.
    setTimeout(() => URL.revokeObjectURL(address), 60_000)
  }
  button.addEventListener('click', () => {
    download().catch((error: unknown) => {
      button.textContent = error instanceof Error ? error.message : 'That did not work; try again'
    })
  })
  return button
}
