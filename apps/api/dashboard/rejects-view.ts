import { rejectsPath, type JobDetail } from './api.js'
import { element } from './element.js'
import { formatCount, formatPlural } from './format.js'

/** As many as one can take in; the file holds them all. */
const shownRejects = 10

/** The first rejected rows of a job, and a way to all of them. */
export function rejectsView(job: JobDetail): HTMLElement {
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
      element('a', { href: rejectsPath(job.id), download: `${job.name}.rejects.ndjson` }, 'Download all'),
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
