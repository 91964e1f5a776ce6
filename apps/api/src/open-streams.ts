import type { Audience } from './audiences.js'
import { eventFrame } from './event-frame.js'
import type { EventStream } from './event-stream.js'

/** Proxies give up on a silent answer after 60 s, and browsers cannot see a comment: a named event, often. */
const pingInterval = 15_000
/** Over what time the goodbyes are spread when we stop, in milliseconds: those who are told so come back elsewhere at once. */
const farewellSpread = 5_000
/** A few streams need not be spread over all of it. */
const maxPause = 100

/** What is known of a stream from its beginning. */
export interface StreamOrigin {
  /** Tells it from all others, of any process. */
  readonly id: string
  readonly audience: Audience
  /** In the order in which the client named them. */
  readonly channels: readonly string[]
  /** Whose it is, where a token says so. */
  readonly subject: string | undefined
}

export interface OpenStream extends StreamOrigin {
  readonly stream: EventStream
  /** In milliseconds since 1970. */
  readonly since: number
}

/** Every stream of this process. */
export interface OpenStreams {
  readonly count: number
  /** The returned function is to be called when the stream has ended. */
  add(stream: EventStream, origin: StreamOrigin): () => void
  /** The oldest first. */
  list(): Iterable<OpenStream>
  find(id: string): OpenStream | undefined
  /** Says goodbye to all, not at once; resolves when it has been said to the last. */
  end(): Promise<void>
}

/** `maxAge`: after about so many milliseconds a stream ends, for its client to come back: to another server, with another token. */
export function createOpenStreams({ maxAge }: { readonly maxAge: number }): OpenStreams {
  const streams = new Map<string, OpenStream>()

  return {
    get count() {
      return streams.size
    },
    add(stream, origin) {
      streams.set(origin.id, { ...origin, stream, since: Date.now() })
      const pinging = setInterval(() => {
        stream.ping(eventFrame({ time: new Date().toISOString() }, { event: 'ps.ping' }))
      }, pingInterval)
      // Different for each, as are those who come back.
      const ending = setTimeout(() => stream.end('renew'), maxAge * (0.8 + 0.4 * Math.random()))
      return () => {
        streams.delete(origin.id)
        clearInterval(pinging)
        clearTimeout(ending)
      }
    },
    list: () => streams.values(),
    find: (id) => streams.get(id),
    async end() {
      const startedAt = performance.now()
      const waiting = [...streams.values()]
      const pause = Math.min(maxPause, farewellSpread / waiting.length)
      for (const [index, { stream }] of waiting.entries()) {
        const wait = startedAt + index * pause - performance.now()
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
        stream.end('shutdown')
      }
    },
  }
}
