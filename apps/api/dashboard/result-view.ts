import type { Column, Frequent } from '@ps/jobs'
import { element, type Child } from './element.js'
import { formatCount, formatNumber, formatPlural, formatShare } from './format.js'
import { shareBar, spreadLine } from './plots.js'
import type { JobDetail } from './api.js'
import { rejectsView } from './rejects-view.js'

const headings = ['Column', 'Values', 'Nulls', 'Distinct', 'Min', 'Mean', 'Max', 'Most frequent'] as const

/** What a job found: a row for each column of the data, then the rejected rows. */
export function resultView(job: JobDetail): HTMLElement {
  const { columns = [] } = job
  return element(
    'div',
    { class: 'result' },
    columns.length === 0
      ? element('p', { class: 'hint' }, 'The file holds no columns.')
      : element(
          'div',
          { class: 'table-frame', role: 'region', tabindex: 0, 'aria-label': `Columns of ${job.name}` },
          columnsTable(columns),
        ),
    job.truncated === true
      ? element('p', { class: 'hint' }, 'Long values or rejected rows were cut to keep the result small.')
      : undefined,
    rejectsView(job),
  )
}

/** The roles are written out because the narrow layout turns rows into blocks, and browsers then forget that it is a table. */
function columnsTable(columns: readonly Column[]): HTMLElement {
  return element(
    'table',
    { class: 'columns', role: 'table' },
    element(
      'thead',
      { role: 'rowgroup' },
      element(
        'tr',
        { role: 'row' },
        ...headings.map((heading) => element('th', { scope: 'col', role: 'columnheader' }, heading)),
      ),
    ),
    element('tbody', { role: 'rowgroup' }, ...columns.map(columnRow)),
  )
}

function columnRow(column: Column): HTMLElement {
  const { name, type, count, nulls, distinct, distinctExact, min, max, mean } = column
  const rows = count + nulls
  const nullShare = rows === 0 ? 0 : nulls / rows
  const numeric = typeof min === 'number' && typeof max === 'number' && mean !== null
  return element(
    'tr',
    { role: 'row' },
    element(
      'th',
      { scope: 'row', role: 'rowheader' },
      element('span', { class: 'column-name', title: name }, name === '' ? '(no name)' : name),
      element('span', { class: 'type' }, type),
    ),
    cell('Values', 'number', formatCount(count)),
    cell(
      'Nulls',
      'number',
      formatCount(nulls),
      element('span', { class: 'unit' }, nulls === 0 ? '' : ` ${formatShare(nullShare)}`),
      shareBar(nullShare),
    ),
    cell(
      'Distinct',
      distinctExact ? 'number' : 'number wordy',
      `${distinctExact ? '' : 'more than '}${formatCount(distinct)}`,
    ),
    valueCell('Min', min, numeric),
    numeric
      ? cell('Mean', 'number', formatNumber(mean), spreadLine(min, mean, max))
      : cell('Mean', 'number', '–'),
    valueCell('Max', max, numeric),
    cell('Most frequent', 'frequent', frequentList(column)),
  )
}

const cell = (heading: string, kind: string, ...children: readonly Child[]): HTMLElement =>
  element('td', { role: 'cell', class: kind, 'data-heading': heading }, ...children)

const valueCell = (heading: string, value: Column['min'], numeric: boolean): HTMLElement =>
  cell(
    heading,
    numeric ? 'number' : 'text',
    element('span', { class: 'value', title: formatValue(value) }, formatValue(value)),
  )

function formatValue(value: Column['min']): string {
  if (value === null) return '–'
  if (typeof value === 'number') return formatNumber(value)
  return String(value)
}

function frequentList({ frequent, frequentExact, count }: Column): HTMLElement {
  if (frequent.length === 0) return element('span', { class: 'hint' }, '–')
  return element(
    'div',
    {},
    frequentExact ? undefined : element('p', { class: 'hint' }, 'approximate'),
    element(
      'ul',
      {
        class: 'frequent-values',
        'aria-label': frequentExact ? 'Most frequent' : 'Most frequent, approximate',
      },
      ...frequent.map((value) => frequentItem(value, count, frequentExact)),
    ),
  )
}

function frequentItem({ value, count }: Frequent, all: number, exact: boolean): HTMLElement {
  const share = all === 0 ? 0 : count / all
  return element(
    'li',
    {
      title: `${value}: ${exact ? '' : 'about '}${formatPlural(count, 'time')}, ${formatShare(share)} of the values`,
    },
    shareBar(share),
    element('span', { class: 'frequent-value' }, value === '' ? '(empty)' : value),
    element('span', { class: 'frequent-count' }, `${exact ? '' : '≈ '}${formatCount(count)}`),
  )
}
