import { createEventParser, type ServerSentEvent } from './event-parser.js'

/** The server sends something every 15 s: a stream that is silent for this long is dead, whatever the socket says. */
const maxSilence = 40_000

const byeWords: Readonly<Record<string, string>> = {
  shutdown: 'the server is being stopped',
  renew: 'the server renews its streams',
  slow: 'this page was too slow',
  refused: 'the broker does not permit a channel',
  expired: 'the token has expired',
  limit: 'too much was asked of the server',
}

/** How a stream ended, and when the next one may be opened. */
export interface StreamEnd {
  readonly reason: string
  readonly next: 'now' | 'later' | 'never'
  /** What the server asked to wait for, in milliseconds. */
  readonly comeBackAfter: number
  readonly status?: number
}

/** One request for events, until it ends. */
export interface Stream {
  close(): void
  closeWhereSilent(): void
}

export interface StreamOptions {
  /** Gives what asks the server, which rejects where there is no answer. What this itself rejects with is told as it is. */
  readonly prepare: () => Promise<(signal: AbortSignal) => Promise<Response>>
  /** Whether another attempt comes with another credential. */
  readonly canRenew: boolean
  readonly onEvent: (event: ServerSentEvent) => void
  /** Called once, unless `close` was called before. */
  readonly onEnd: (end: StreamEnd) => void
}

/** Opens one stream and reads it to its end. */
export function openStream({ prepare, canRenew, onEvent, onEnd }: StreamOptions): Stream {
  const controller = new AbortController()
  let heardAt = Date.now()
  let isAsked = false
  let ended = false
  let comeBackAfter = 0

  const end = (reason: string, next: StreamEnd['next'], status?: number): void => {
    if (ended) return
    ended = true
    controller.abort()
    onEnd({ reason, next, comeBackAfter, ...(status !== undefined && { status }) })
  }

  const parser = createEventParser({
    onEvent(event) {
      if (ended) return
      if (event.event === 'ps.bye') sayGoodbye(textMember(parsed(event.data), 'reason'))
      else onEvent(event)
    },
    onRetry(milliseconds) {
      comeBackAfter = milliseconds
    },
  })

  /** Not when the socket closes: a proxy may hold it open, and the server waits for nobody. */
  const sayGoodbye = (why = ''): void => {
    const next = why === 'refused' ? 'never' : why === 'renew' || why === 'expired' ? 'now' : 'later'
    end(byeWords[why] ?? 'the server let go', next)
  }

  const run = async (): Promise<void> => {
    // Not before the caller knows of this stream, which the page's own functions may close.
    const ask = await Promise.resolve().then(prepare)
    if (ended) return
    isAsked = true
    const response = await ask(controller.signal)
    heardAt = Date.now()
    const { status, headers, body } = response
    if (status !== 200) {
      const asked = headers.get('retry-after') ?? ''
      comeBackAfter = Number(asked) * 1_000 || Date.parse(asked) - Date.now() || 0
      const problem = parsed(await response.text().catch(() => ''))
      const words = textMember(problem, 'detail') ?? textMember(problem, 'title')
      const isFinal = status === 400 || status === 403 || (status === 401 && !canRenew)
      return end(words ?? `the server answered ${status}`, isFinal ? 'never' : 'later', status)
    }
    if (body === null || !headers.get('content-type')?.startsWith('text/event-stream'))
      return end('the answer is no stream of events: is this the address of one?', 'later')
    const reader = body.pipeThrough(new TextDecoderStream()).getReader()
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      heardAt = Date.now()
      parser.push(piece.value)
    }
    end('the server ended the stream', 'later')
  }

  run().catch((error: unknown) => {
    // What the browser says of a connection differs from one to the other, and says less.
    const isOfNetwork = isAsked && error instanceof TypeError
    end(
      error instanceof Error && !isOfNetwork ? error.message : 'the connection to the server was lost',
      'later',
    )
  })

  return {
    close() {
      ended = true
      controller.abort()
    },
    closeWhereSilent() {
      if (Date.now() - heardAt > maxSilence) end('the server was silent', 'later')
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

/** The text under this name in an object. */
export function textMember(content: unknown, name: string): string | undefined {
  if (typeof content !== 'object' || content === null) return undefined
  const member = (content as Readonly<Record<string, unknown>>)[name]
  return typeof member === 'string' ? member : undefined
}
