import { type EventStream, eventFrame } from './event-stream.js'

/** Proxies give up on a silent answer after 60 s, and browsers cannot see a comment: a named event, often. */
const pingInterval = 15_000

/** Every stream of this process. */
export interface OpenStreams {
  readonly count: number
  /** The returned function is to be called when the stream has ended. */
  add(stream: EventStream): () => void
  /** Says goodbye to all. */
  end(): void
}

export function createOpenStreams(): OpenStreams {
  const streams = new Set<EventStream>()
  let timer: NodeJS.Timeout | undefined

  const ping = (): void => {
    const frame = eventFrame({ time: new Date().toISOString() }, 'ps.ping')
    for (const stream of streams) stream.ping(frame)
  }

  return {
    get count() {
      return streams.size
    },
    add(stream) {
      streams.add(stream)
      timer ??= setInterval(ping, pingInterval)
      return () => {
        streams.delete(stream)
        if (streams.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
    end() {
      for (const stream of streams) stream.end('shutdown')
    },
  }
}
