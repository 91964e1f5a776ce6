import type { Gap, OverflowPolicy } from './client.js'

/** The most messages that wait for one listener's callback. */
export const maxListenerMessages = 10_000
/** The most bytes of payload that wait for one listener's callback: 16 MiB. */
export const maxListenerBytes = 16 * 1024 * 1024

export interface ListenerOptions {
  readonly channel: string
  readonly callback: (message: never) => unknown
  readonly onGap: (gap: Gap) => void
  readonly overflow: OverflowPolicy
  readonly maxMessages: number
  readonly maxBytes: number
  /** A callback threw or rejected. */
  readonly onCallbackError: (error: unknown) => void
  /** The queue overflowed under the policy `close`. */
  readonly onOverflowClose: () => void
  readonly onDropped: (count: number) => void
  readonly onDelivered: () => void
}

/** Takes the messages of a channel and hands them to one callback, one at a time and in order. */
export interface Listener {
  /** Where it has to wait, it counts for its equal share of the payload, which it came in with `count` messages. */
  deliver(message: unknown, payload: string, count: number): void
  /** Tells of a gap, in its place between the messages. */
  gap(gap: Gap): void
  /** Nothing is delivered from now on; what waits is dropped. */
  close(): void
  /** Resolves when no callback is running. */
  idle(): Promise<void>
}

type Waiting = { readonly message: unknown; readonly bytes: number } | { readonly gap: Gap }

export function createListener(options: ListenerOptions): Listener {
  const { channel, overflow, maxMessages, maxBytes } = options
  // `options.callback` takes the channel's own message type, which only the typed surface of the client knows.
  const callback = options.callback as (message: unknown) => unknown
  let waiting: (Waiting | undefined)[] = []
  let head = 0
  let waitingMessages = 0
  let waitingBytes = 0
  // Messages dropped in front of the oldest waiting one (drop-oldest) or behind the newest (drop-newest).
  let droppedInFront = 0
  let droppedBehind = 0
  let running = false
  let closed = false
  let idleWaiters: (() => void)[] = []

  const overflowGap = (missed: number): Gap => ({
    channel,
    missed,
    reason: 'the listener was too slow: its queue is full',
  })

  const takeFirst = (): Waiting | undefined => {
    const first = waiting[head]
    if (first === undefined) return undefined
    waiting[head] = undefined
    head += 1
    if (head === waiting.length) {
      waiting = []
      head = 0
    } else if (head > 1_024 && head * 2 > waiting.length) {
      waiting = waiting.slice(head)
      head = 0
    }
    if ('bytes' in first) {
      waitingMessages -= 1
      waitingBytes -= first.bytes
    }
    return first
  }

  const dropOldest = (): void => {
    for (let first = takeFirst(); first !== undefined; first = takeFirst()) {
      if ('bytes' in first) {
        droppedInFront += 1
        options.onDropped(1)
        return
      }
      options.onGap(first.gap)
    }
  }

  /** Runs the callback; true when it is done, false when it will call `drain` itself. */
  const run = (message: unknown): boolean => {
    running = true
    options.onDelivered()
    try {
      const result = callback(message)
      if (isThenable(result)) {
        result.then(finish, (error: unknown) => {
          options.onCallbackError(error)
          finish()
        })
        return false
      }
    } catch (error) {
      options.onCallbackError(error)
    }
    running = false
    return true
  }

  const finish = (): void => {
    running = false
    drain()
  }

  const drain = (): void => {
    for (;;) {
      if (closed) break
      if (droppedInFront > 0) {
        const missed = droppedInFront
        droppedInFront = 0
        options.onGap(overflowGap(missed))
        continue
      }
      const first = takeFirst()
      if (first === undefined) {
        if (droppedBehind === 0) break
        const missed = droppedBehind
        droppedBehind = 0
        options.onGap(overflowGap(missed))
      } else if ('gap' in first) {
        options.onGap(first.gap)
      } else if (!run(first.message)) {
        return
      }
    }
    if (idleWaiters.length > 0) for (const resolve of idleWaiters.splice(0)) resolve()
  }

  const enqueue = (item: Waiting): void => {
    if (droppedBehind > 0) {
      waiting.push({ gap: overflowGap(droppedBehind) })
      droppedBehind = 0
    }
    waiting.push(item)
  }

  const isFull = (bytes: number): boolean =>
    waitingMessages > 0 && (waitingMessages + 1 > maxMessages || waitingBytes + bytes > maxBytes)

  return {
    deliver(message, payload, count) {
      if (closed) return
      if (!running && head === waiting.length) {
        if (run(message)) drain()
        return
      }
      const bytes = Math.ceil(Buffer.byteLength(payload) / count)
      if (isFull(bytes)) {
        if (overflow === 'drop-newest') {
          droppedBehind += 1
          options.onDropped(1)
          return
        }
        if (overflow === 'close') {
          const missed = waitingMessages + 1
          options.onDropped(missed)
          closed = true
          waiting = []
          options.onGap(overflowGap(missed))
          options.onOverflowClose()
          return
        }
        while (isFull(bytes)) dropOldest()
      }
      enqueue({ message, bytes })
      waitingMessages += 1
      waitingBytes += bytes
    },
    gap(gap) {
      if (closed) return
      if (!running && head === waiting.length) options.onGap(gap)
      else enqueue({ gap })
    },
    close() {
      closed = true
      waiting = []
      head = 0
      if (!running) for (const resolve of idleWaiters.splice(0)) resolve()
    },
    idle() {
      if (!running) return Promise.resolve()
      return new Promise((resolve) => {
        idleWaiters = [...idleWaiters, resolve]
      })
    },
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
