import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { waitFor } from '@ps/services/vitest'

export interface StreamEvent {
  readonly event: string
  /** What this event itself says. */
  readonly id: string | undefined
  readonly data: Record<string, unknown>
}

/** A reader of Server-Sent Events. */
export interface TestStream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly events: readonly StreamEvent[]
  /** The first text that came, as it came. */
  readonly beginning: () => string
  readonly ended: Promise<void>
  /** The last id, as a browser would send it when it comes back. */
  lastId(): string
  until(matches: (event: StreamEvent) => boolean, timeout?: number): Promise<StreamEvent>
  untilEvent(name: string, timeout?: number): Promise<StreamEvent>
  /** The messages of a channel so far. */
  messages(channel: string): unknown[]
  /** Stops reading, so that the server's buffers fill. */
  pause(): void
  resume(): void
  close(): void
}

export function openStream(url: string, headers: Record<string, string> = {}): Promise<TestStream> {
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request(url, { headers, agent: false }, (response) =>
      resolve(readStream(sent, response)),
    )
    sent.on('error', reject)
    sent.end()
  })
}

function readStream(sent: ClientRequest, response: IncomingMessage): TestStream {
  const events: StreamEvent[] = []
  let beginning = ''
  let rest = ''
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    if (beginning.length < 1_000) beginning += chunk
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.split(': ')[0], line.split(': ').slice(1).join(': ')]),
      )
      const data = fields.get('data')
      if (data === undefined) continue
      events.push({
        event: fields.get('event') ?? 'message',
        id: fields.get('id'),
        data: JSON.parse(data) as Record<string, unknown>,
      })
    }
  })
  const ended = new Promise<void>((resolve) => {
    response.on('close', resolve)
    response.on('error', () => resolve())
  })
  const until = (matches: (event: StreamEvent) => boolean, timeout = 10_000): Promise<StreamEvent> =>
    waitFor(() => events.find(matches), { timeout, what: 'an event of the stream' })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    beginning: () => beginning,
    ended,
    lastId: () => events.findLast(({ id }) => id !== undefined)?.id ?? '',
    until,
    untilEvent: (name, timeout) => until(({ event }) => event === name, timeout),
    messages: (channel) =>
      events
        .filter(({ event, data }) => event === 'message' && data.channel === channel)
        .map(({ data }) => data.message),
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void sent.destroy(),
  }
}
