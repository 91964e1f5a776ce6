import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** What may wait for a client that takes nothing, as in Centrifugo and Mercure. */
const maxWaitingBytes = 1024 ** 2
const maxWaitingFrames = 1_000
/** What is gathered in one turn before it is written. */
const maxGatheredBytes = 64 * 1024
/** How long a client that was too slow may take to read why, in milliseconds. */
const farewellTime = 5_000

export type Farewell = 'shutdown' | 'slow' | 'refused'

/** One client's stream of Server-Sent Events. */
export interface EventStream {
  send(frame: Buffer): void
  /** Sends the ping; a client that has taken nothing since the last one is cut. */
  ping(frame: Buffer): void
  /** Says goodbye and ends. Idempotent. */
  end(reason: Farewell): void
}

export interface EventStreamOptions {
  /** Sent with those that make it a stream. */
  readonly headers: OutgoingHttpHeaders
  /** Called once, however it ends. */
  readonly onClose: () => void
  readonly onSlow: () => void
}

/** A frame of the stream. JSON has no line breaks, so one line of data is enough. Without `event` it is a message. */
export function eventFrame(data: unknown, event?: string): Buffer {
  const name = event === undefined ? '' : `event: ${event}\n`
  return Buffer.from(`${name}data: ${JSON.stringify(data)}\n\n`)
}

/** Begins a stream. Frames of one turn leave in one write; a client that does not read is cut, so that memory is bounded. */
export function openEventStream(
  response: ServerResponse,
  { headers, onClose, onSlow }: EventStreamOptions,
): EventStream {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let isScheduled = false
  let isBlocked = false
  let wasBlockedAtPing = false
  let hasEnded = false

  const flush = (): void => {
    isScheduled = false
    if (hasEnded || isBlocked || waiting.length === 0) return
    const frames = waiting
    waiting = []
    waitingBytes = 0
    isBlocked = !response.write(Buffer.concat(frames))
  }

  const finish = (reason: Farewell): void => {
    hasEnded = true
    waiting = []
    response.end(eventFrame({ reason }, 'ps.bye'))
    const timer = setTimeout(() => response.destroy(), farewellTime)
    response.once('close', () => clearTimeout(timer))
  }

  const cut = (): void => {
    onSlow()
    finish('slow')
  }

  response.on('close', () => {
    hasEnded = true
    waiting = []
    onClose()
  })
  response.on('error', () => {})
  response.on('drain', () => {
    isBlocked = false
    wasBlockedAtPing = false
    flush()
  })
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-store, no-transform',
    'x-accel-buffering': 'no',
  })
  // Different for each, so that a fleet of pages does not return in step.
  const retry = Math.round(1_000 + Math.random() * 4_000)
  response.write(`retry: ${retry}\n\n`)

  const send = (frame: Buffer): void => {
    if (hasEnded) return
    waiting.push(frame)
    waitingBytes += frame.length
    if (isBlocked) {
      const isTooMuch = waiting.length > maxWaitingFrames || waitingBytes > maxWaitingBytes
      // The longest message alone is more than what may wait.
      if (isTooMuch && waiting.length > 1) cut()
    } else if (waitingBytes > maxGatheredBytes) {
      flush()
    } else if (!isScheduled) {
      isScheduled = true
      setImmediate(flush)
    }
  }

  return {
    send,
    ping(frame) {
      if (isBlocked && wasBlockedAtPing) {
        if (!hasEnded) cut()
        return
      }
      wasBlockedAtPing = isBlocked
      send(frame)
    },
    end(reason) {
      if (hasEnded) return
      flush()
      finish(reason)
    },
  }
}
