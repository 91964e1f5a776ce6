import type { ListedStream, StreamOverview } from '../src/stream-overview.js'
import { element, pageElement, setText } from './element.js'
import { formatBytes, formatCount, formatDuration, formatPlural, formatTime } from './format.js'

export interface StreamsView {
  show(overview: StreamOverview): void
  /** Why what is shown is not news. */
  trouble(reason: string): void
  /** A stream of this page. */
  own(id: string): void
}

/** The open streams of the server, those that are furthest behind first. */
export function createStreamsView(): StreamsView {
  const body = pageElement('streams', HTMLTableSectionElement)
  const note = pageElement('streams-note', HTMLParagraphElement)
  const rows = new Map<string, StreamRow>()
  const own = new Set<string>()

  return {
    show({ streams, totals }) {
      note.classList.remove('problem')
      setText(note, noteWords(streams.length, totals))
      const present = new Set(streams.map(({ id }) => id))
      for (const [id, row] of rows) {
        if (present.has(id)) continue
        row.node.remove()
        rows.delete(id)
        own.delete(id)
      }
      for (const [index, stream] of streams.entries()) {
        const row = rows.get(stream.id) ?? createStreamRow(stream.id)
        rows.set(stream.id, row)
        row.update(stream, own.has(stream.id))
        if (body.children[index] !== row.node) body.insertBefore(row.node, body.children[index] ?? null)
      }
    },
    trouble(reason) {
      note.classList.add('problem')
      setText(note, reason)
    },
    own: (id) => void own.add(id),
  }
}

function noteWords(
  listed: number,
  { streams, behind, waitingFrames, waitingBytes }: StreamOverview['totals'],
): string {
  const open = `${formatPlural(streams, 'stream')} open on this server${listed < streams ? `, ${listed} of them shown` : ''}`
  if (behind === 0) return `${open}, none behind`
  return `${open}, ${formatCount(behind)} behind: ${formatPlural(waitingFrames, 'frame')}, ${formatBytes(waitingBytes)} wait`
}

interface StreamRow {
  readonly node: HTMLTableRowElement
  update(stream: ListedStream, isOwn: boolean): void
}

function createStreamRow(id: string): StreamRow {
  const mark = element('span', { class: 'own-mark' })
  const subject = element('span', { class: 'type' })
  const cells = ['Channels', 'Since', 'Delivered', 'Waiting', 'Behind by'].map((heading, index) =>
    element('td', { 'data-heading': heading, class: index > 1 ? 'number' : undefined }),
  )
  const head = element('th', { scope: 'row' }, element('code', {}, id), ' ', subject, mark)
  const node = element('tr', {}, head, ...cells)

  return {
    node,
    update(stream, isOwn) {
      const { channels, channelCount, delivered, waitingFrames, waitingBytes, lagMs } = stream
      const more = channelCount - channels.length
      mark.hidden = !isOwn
      setText(mark, isOwn ? 'this page' : '')
      setText(subject, stream.subject ?? '')
      node.dataset['behind'] = String(lagMs >= lateAfter)
      const texts = [
        `${channels.join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`,
        formatTime(Date.parse(stream.since)),
        formatCount(delivered),
        waitingBytes === 0 ? '–' : `${formatPlural(waitingFrames, 'frame')}, ${formatBytes(waitingBytes)}`,
        lagMs === 0 ? '–' : formatDuration(lagMs),
      ]
      for (const [index, cell] of cells.entries()) setText(cell, texts[index] ?? '')
    },
  }
}

/** What waits for less is on its way, in milliseconds. */
const lateAfter = 1_000
