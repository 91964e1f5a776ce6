export interface ServerSentEvent {
  /** `message` where the server names none. */
  readonly event: string
  readonly data: string
  /** Only where this very event carries one. */
  readonly id?: string
}

export interface EventParser {
  /** Takes the next piece of the stream, cut anywhere. */
  push(text: string): void
}

/** The longest line that is kept, in characters: several times the largest message. A longer one means another protocol. */
const maxLine = 16_000_000

export interface EventParserOptions {
  readonly onEvent: (event: ServerSentEvent) => void
  /** The server says after how many milliseconds to come back. */
  readonly onRetry?: (milliseconds: number) => void
}

/** Reads `text/event-stream` as the HTML standard says. */
export function createEventParser({ onEvent, onRetry }: EventParserOptions): EventParser {
  let rest = ''
  let event = ''
  let data: string[] = []
  let id: string | undefined
  // Left out where the next piece begins with it: a byte order mark, or the other half of a line end that was cut in two.
  let leftOut = '\uFEFF'

  const takeLine = (line: string): void => {
    if (line === '') {
      if (data.length > 0)
        onEvent({ event: event || 'message', data: data.join('\n'), ...(id !== undefined && { id }) })
      event = ''
      data = []
      id = undefined
      return
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') event = value
    if (field === 'data') data.push(value)
    if (field === 'id' && !value.includes('\0')) id = value
    if (field === 'retry' && /^\d+$/.test(value)) onRetry?.(Number(value))
  }

  return {
    push(text) {
      if (text === '') return
      const piece = text.startsWith(leftOut) ? text.slice(leftOut.length) : text
      leftOut = text.endsWith('\r') ? '\n' : ''
      let start = 0
      // Looked for in the piece alone: a long line comes in many, and what came before holds no end.
      for (const { 0: end, index } of piece.matchAll(/\r\n?|\n/g)) {
        takeLine(rest + piece.slice(start, index))
        rest = ''
        start = index + end.length
      }
      rest += piece.slice(start)
      if (rest.length > maxLine) throw new Error('the stream holds a line without end')
    },
  }
}
