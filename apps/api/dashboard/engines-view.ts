import { element, pageElement, setText } from './element.js'
import type { HeardEngine } from './engines-store.js'
import { formatAge, formatBackend } from './format.js'

export interface EnginesView {
  show(engines: readonly HeardEngine[]): void
}

/** Engines announce themselves every 2 s, and are gone after 6 s of silence: before that, they are worth a word. */
export const lateAfter = 4_500

/** The engines that are alive, with the age of their last word, which grows by itself. */
export function createEnginesView(): EnginesView {
  const list = pageElement('engines', HTMLUListElement)
  const empty = element('li', { class: 'empty' }, 'No engine is alive: jobs cannot start.')
  const rows = new Map<string, EngineRow>()

  return {
    show(engines) {
      const present = new Set(engines.map(({ announcement }) => announcement.engine))
      for (const [id, row] of rows) {
        if (present.has(id)) continue
        row.node.remove()
        rows.delete(id)
      }
      for (const [index, engine] of engines.entries()) {
        const { engine: id } = engine.announcement
        const row = rows.get(id) ?? createEngineRow()
        rows.set(id, row)
        row.update(engine)
        if (list.children[index] !== row.node) list.insertBefore(row.node, list.children[index] ?? null)
      }
      if (engines.length === 0) list.replaceChildren(empty)
      else empty.remove()
    },
  }
}

interface EngineRow {
  readonly node: HTMLLIElement
  update(engine: HeardEngine): void
}

function createEngineRow(): EngineRow {
  const host = element('span')
  const process = element('span', { class: 'engine-process' })
  const age = element('span', { class: 'engine-age' })
  const load = element('meter', { min: 0, low: 0 })
  const facts = element('p', { class: 'facts' })
  const node = element(
    'li',
    { class: 'engine' },
    element('div', { class: 'engine-head' }, element('h3', {}, host, process), age),
    load,
    facts,
  )

  return {
    node,
    update({ announcement, heardAt }) {
      const { capacity, running, queued, backend, processId, engine } = announcement
      const silence = Date.now() - heardAt
      const late = silence > lateAfter
      node.dataset['late'] = String(late)
      setText(host, announcement.host)
      setText(process, ` process ${processId}`)
      node.title = engine
      setText(
        age,
        late ? `silent for ${formatAge(silence).replace(' ago', '')}` : `heard ${formatAge(silence)}`,
      )
      load.max = Math.max(1, capacity)
      load.value = running
      load.setAttribute('aria-label', `${running} of ${capacity} places taken`)
      setText(
        facts,
        [`${running} of ${capacity} running`, `${queued} queued`, formatBackend(backend)].join(' · '),
      )
    },
  }
}
