import { problemOf } from './api.js'
import { createEventParser, type ServerSentEvent } from './event-parser.js'

/** The server sends something every 15 s: a stream that is silent for this long is dead, whatever the socket says. */
const maxSilence = 40_000
/** Answers that no waiting mends: bad channels, forbidden ones. */
const refusals = new Set([400, 403])

const byeWords: Readonly<Record<string, string>> = {
  shutdown: 'the server is being stopped',
  renew: 'the server renews its streams from time to time',
  slow: 'this page was too slow for what came',
  refused: 'a channel is not permitted by the broker',
  expired: 'the token has expired',
  limit: 'too much was asked of the server',
}

/** One request for events, until it ends. */
export interface Connection {
  close(): void
  closeWhereSilent(): void
}

export interface ConnectionOptions {
  readonly open: (signal: AbortSignal) => Promise<Response>
  readonly onEvent: (event: ServerSentEvent) => void
  readonly onRefused: (reason: string) => void
  /** Called once, unless `close` was called before. `comeBackAfter` is what the server asked for, in milliseconds. */
  readonly onEnd: (reason: string, comeBackAfter: number) => void
}

/** Opens one stream and reads it to its end. */
export function openConnection({ open, onEvent, onRefused, onEnd }: ConnectionOptions): Connection {
  const controller = new AbortController()
  let heardAt = Date.now()
  let ended = false
  let farewell: string | undefined
  let comeBackAfter = 0

  const end = (reason: string): void => {
    if (ended) return
    ended = true
    controller.abort()
    onEnd(reason, comeBackAfter)
  }

  const parser = createEventParser({
    onEvent(event) {
      if (ended) return
      if (event.event === 'ps.bye') sayGoodbye(event.data)
      else onEvent(event)
    },
    onRetry(milliseconds) {
      comeBackAfter = milliseconds
    },
  })

  const sayGoodbye = (data: string): void => {
    const content = parsed(data)
    const known = typeof content === 'object' && content !== null && 'reason' in content
    const reason = known ? String(content.reason) : ''
    farewell = byeWords[reason] ?? 'the server let go'
    if (reason === 'refused') onRefused(farewell)
  }

  const run = async (): Promise<string> => {
    const response = await open(controller.signal)
    heardAt = Date.now()
    if (!response.ok || response.body === null) {
      const { message } = await problemOf(response)
      if (refusals.has(response.status) && !ended) onRefused(message)
      return message
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      heardAt = Date.now()
      parser.push(piece.value)
    }
    return farewell ?? 'the server ended the stream'
  }

  run().then(end, () => end('the connection to the server was lost'))

  return {
    close() {
      ended = true
      controller.abort()
    },
    closeWhereSilent() {
      if (Date.now() - heardAt > maxSilence) end('the server was silent')
    },
  }
}

/** What the JSON says; undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
