import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Audience } from './audiences.js'
import { eventFrame } from './event-frame.js'

/** How far a client may be behind that takes nothing, as in Centrifugo and Mercure. */
const maxWaitingBytes = 1024 ** 2
const maxWaitingFrames = 1_000
/** How long a client may take nothing of what is written, in milliseconds. */
const maxStall = 20_000
/** How long a client that was too slow may take to read why, in milliseconds. */
const farewellTime = 5_000

export type Farewell = 'shutdown' | 'slow' | 'refused' | 'renew' | 'expired'

/** How far a stream is, for those who look at it. */
export interface StreamPlace {
  /** Frames that were given to it. */
  readonly delivered: number
  /** Everything up to this place was given to it. */
  readonly given: number
  /** Everything up to this place is on its way: the system has taken it. */
  readonly taken: number
  /** What lies in between, in bytes. */
  readonly untakenBytes: number
}

/** One client's stream of Server-Sent Events: a place in the history of its channels, and the way there. */
export interface EventStream {
  /** Sends what there is to be sent, as far as the client takes it; a client that is too far behind is cut. */
  advance(): void
  /** Sends the ping, unless there is more to take already. */
  ping(frame: Buffer): void
  /** Says goodbye and ends. Idempotent. */
  end(reason: Farewell): void
  /** Ends it without a word, as a network that breaks. */
  destroy(): void
  place(): StreamPlace
}

export interface EventStreamOptions {
  readonly response: ServerResponse
  /** Sent with those that make it a stream. */
  readonly headers: OutgoingHttpHeaders
  readonly audience: Pick<Audience, 'after' | 'came'>
  /** The place after which the client has heard nothing. */
  readonly cursor: number
  /** Sent first. */
  readonly opening: Buffer
  /** Default: 20 s. */
  readonly stallTime?: number
  readonly onDelivered: (frames: number) => void
  /** Called once, however it ends. */
  readonly onClose: () => void
  readonly onSlow: () => void
}

/**
 * Begins a stream. Nothing waits in the stream itself but the piece that was written last: what comes next stays in the
 * history until the client has taken that, so one that comes back reads a long history at its own pace.
 */
export function openEventStream(options: EventStreamOptions): EventStream {
  const { response, audience, stallTime = maxStall, onDelivered, onClose, onSlow } = options
  let { cursor } = options
  // What of all that came has been sent; known from the moment when nothing is left to send.
  let sent: { readonly frames: number; readonly bytes: number } | undefined
  let delivered = 0
  // The place before what was given first of that which the system has not taken.
  let taken = cursor
  let isBlocked = false
  let hasEnded = false

  const finish = (reason: Farewell): void => {
    hasEnded = true
    // It is the connection's, on which other answers may follow.
    response.setTimeout(0)
    response.end(eventFrame({ reason }, { event: 'ps.bye' }))
    const timer = setTimeout(() => response.destroy(), farewellTime)
    response.once('close', () => clearTimeout(timer))
  }

  const cut = (): void => {
    onSlow()
    finish('slow')
  }

  const isTooFarBehind = (): boolean => {
    if (sent === undefined) return false
    const frames = audience.came.frames - sent.frames
    // The longest message alone is more than what may wait.
    return frames > maxWaitingFrames || (frames > 1 && audience.came.bytes - sent.bytes > maxWaitingBytes)
  }

  const canTake = (): boolean => !hasEnded && !isBlocked

  const advance = (): void => {
    if (isBlocked && !hasEnded && isTooFarBehind()) cut()
    while (canTake()) {
      const piece = audience.after(cursor)
      if (piece === undefined) {
        sent = { ...audience.came }
        return
      }
      if (response.writableLength === 0) taken = cursor
      cursor = piece.last
      delivered += piece.frames
      if (sent !== undefined)
        sent = { frames: sent.frames + piece.frames, bytes: sent.bytes + piece.bytes.length }
      isBlocked = !response.write(piece.bytes)
      onDelivered(piece.frames)
    }
  }

  response.on('close', () => {
    hasEnded = true
    onClose()
  })
  response.on('error', () => {})
  response.on('drain', () => {
    isBlocked = false
    // Not at once: whoever takes as fast as we write would let nobody else have a turn.
    setImmediate(advance)
  })
  // Of a long message parts are taken for long before there is a `drain`: Node.js looks at these, too.
  response.setTimeout(stallTime, () => {
    if (isBlocked && !hasEnded) cut()
  })
  begin(response, options.headers)
  isBlocked = !response.write(options.opening)

  return {
    advance,
    ping(frame) {
      if (canTake()) isBlocked = !response.write(frame)
    },
    end(reason) {
      if (hasEnded) return
      advance()
      if (!hasEnded) finish(reason)
    },
    destroy: () => void response.destroy(),
    place() {
      const untakenBytes = response.writableLength
      return { delivered, given: cursor, taken: untakenBytes === 0 ? cursor : taken, untakenBytes }
    },
  }
}

/** Answers with a stream that ends at once: after any other answer, `EventSource` would never come back. */
export function declineEventStream(
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
  reason: Farewell,
): void {
  begin(response, headers)
  response.end(eventFrame({ reason }, { event: 'ps.bye' }))
}

function begin(response: ServerResponse, headers: OutgoingHttpHeaders): void {
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-store, no-transform',
    'x-accel-buffering': 'no',
  })
  // Different for each, so that a fleet of pages does not return in step.
  const retry = Math.round(1_000 + Math.random() * 4_000)
  response.write(`retry: ${retry}\n\n`)
}
