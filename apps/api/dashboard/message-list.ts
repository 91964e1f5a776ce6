import { element, pageElement, setText } from './element.js'
import { formatCount, formatTime } from './format.js'

export interface MessageList {
  /** `id`: a listener can go on behind it. */
  add(message: unknown, id: string | undefined): void
  /** A line between the messages that is none. */
  addNote(text: string): void
  clear(): void
}

export interface MessageListOptions {
  /** Somebody chose the id of a message. */
  readonly onId: (id: string) => void
}

interface Entry {
  readonly text: string
  readonly time: number
  readonly isNote: boolean
  readonly id?: string | undefined
}

const maxEntries = 200
/** A message may hold a megabyte; nobody reads that here. */
const maxCharacters = 4_000

/** The messages of the explorer, newest first, at most 200, drawn once a frame however fast they come. */
export function createMessageList({ onId }: MessageListOptions): MessageList {
  const list = pageElement('messages', HTMLOListElement)
  const count = pageElement('messages-count', HTMLSpanElement)
  const pause = pageElement('pause', HTMLButtonElement)
  let waiting: Entry[] = []
  let heard = 0
  let heardInPause = 0
  let paused = false
  let scheduled = false

  const draw = (): void => {
    scheduled = false
    if (!paused && waiting.length > 0) {
      list.prepend(...waiting.toReversed().map(entryNode))
      waiting = []
      while (list.childElementCount > maxEntries) list.lastElementChild?.remove()
    }
    setText(count, paused ? `paused, ${formatCount(heardInPause)} new` : `${formatCount(heard)} heard`)
  }

  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    requestAnimationFrame(draw)
  }

  const push = (entry: Entry): void => {
    waiting.push(entry)
    // Twice the bound before cutting, so that a flood does not copy the list for each message.
    if (waiting.length > 2 * maxEntries) waiting = waiting.slice(-maxEntries)
    schedule()
  }

  const clear = (): void => {
    waiting = []
    heard = 0
    heardInPause = 0
    list.replaceChildren()
    schedule()
  }

  pause.addEventListener('click', () => {
    paused = !paused
    heardInPause = 0
    setText(pause, paused ? 'Go on' : 'Pause')
    schedule()
  })
  list.addEventListener('click', ({ target }) => {
    const id = target instanceof HTMLButtonElement ? target.textContent : ''
    if (id !== '') onId(id)
  })
  // Two hundred stops of the tabulator would be too many.
  list.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    const ids = [...list.querySelectorAll('button')]
    const at = ids.findIndex((button) => button === document.activeElement)
    const next = ids[event.key === 'ArrowDown' ? at + 1 : at - 1]
    if (next === undefined) return
    event.preventDefault()
    next.focus()
  })
  pageElement('clear', HTMLButtonElement).addEventListener('click', clear)
  draw()

  return {
    add(message, id) {
      heard += 1
      if (paused) heardInPause += 1
      push({ text: JSON.stringify(message) ?? 'null', time: Date.now(), isNote: false, id })
    },
    addNote: (text) => push({ text, time: Date.now(), isNote: true }),
    clear,
  }
}

function entryNode({ text, time, isNote, id }: Entry): HTMLLIElement {
  const shown =
    text.length > maxCharacters
      ? `${text.slice(0, maxCharacters)}… (${formatCount(text.length)} characters in all)`
      : text
  return element(
    'li',
    { class: isNote ? 'message-note' : 'message' },
    element('time', { datetime: new Date(time).toISOString() }, formatTime(time)),
    element(isNote ? 'span' : 'code', {}, shown),
    id === undefined
      ? undefined
      : element(
          'button',
          { type: 'button', class: 'message-id quiet', tabindex: -1, title: 'Go on behind this message' },
          id,
        ),
  )
}
