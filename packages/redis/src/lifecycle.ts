import { setMaxListeners } from 'node:events'
import { type BackendEvents, describeError, PubSubError } from '@ps/core'

/** `start` waits no longer for the first attempt to have an outcome, in milliseconds. */
const startMilliseconds = 1_500
/** `close` waits no longer for what was published before, in milliseconds. */
const flushMilliseconds = 2_000

const backend = 'redis'

/** A backend from its start to its close, and what it says of its state. */
export interface Lifecycle {
  /** Aborted when it is closed, and when it could not be started. */
  readonly signal: AbortSignal
  /** What it was started with. */
  readonly events: BackendEvents | undefined
  readonly ready: boolean
  /** Why it is not ready. */
  readonly cause: Error | undefined
  /** Throws where it is closed, or about to be. */
  assertOpen(): void
  /**
   * Runs `connect`, which goes on until `signal` is aborted, and resolves or rejects as `Backend.start` does. Where there is no
   * outcome in time, `late` is why.
   */
  start(events: BackendEvents, connect: () => Promise<unknown>, late: () => PubSubError): Promise<void>
  /** It is down, whatever it was before. */
  down(cause: unknown): void
  /** It is ready. */
  up(): void
  /** `close` waits for it. */
  track<Result>(sending: Promise<Result>): Promise<Result>
  /** Why it takes no message now, where it does not. */
  refusal(channel: string): PubSubError | undefined
  /** Why it cannot take a message now. */
  notSent(channel: string): PubSubError
  /** `stop` is called at once, what is tracked and `idle` have their time, and then all ends. */
  close(stop: (closed: PubSubError) => void, idle?: () => Promise<void> | undefined): Promise<void>
}

/** What is no `PubSubError` is `unavailable`. */
export const asUnavailable = (error: unknown): PubSubError =>
  error instanceof PubSubError ? error : new PubSubError('unavailable', describeError(error), { backend })

export function createLifecycle(): Lifecycle {
  const stopping = new AbortController()
  const { signal } = stopping
  // Each connection listens to it, and there may be any number of them.
  setMaxListeners(0, signal)
  const inFlight = new Set<Promise<unknown>>()
  let events: BackendEvents | undefined
  let ready = false
  let cause: PubSubError | undefined
  let connecting: Promise<unknown> | undefined
  let closing: Promise<void> | undefined
  let firstOutcome: ((failure?: PubSubError) => void) | undefined

  const closed = (): PubSubError => new PubSubError('closed', 'the backend is closed', { backend })

  const notSent = (channel: string): PubSubError => {
    const because = describeError(cause ?? 'not connected')
    return new PubSubError('not_sent', `the message was not sent: ${because}`, { backend, channel, cause })
  }

  const down = (given: unknown): void => {
    if (signal.aborted) return
    const failure = asUnavailable(given)
    firstOutcome?.(failure)
    // Where the first outcome is that nothing can mend it, there is nobody to tell any more.
    if (signal.aborted || (!ready && cause?.message === failure.message)) return
    ready = false
    cause = failure
    events?.state('down', failure)
  }

  const shutDown = async (
    stop: (closed: PubSubError) => void,
    idle: (() => Promise<void> | undefined) | undefined,
  ): Promise<void> => {
    stop(closed())
    const flush = setTimeout(() => stopping.abort(closed()), flushMilliseconds)
    await Promise.allSettled([...inFlight, idle?.()])
    clearTimeout(flush)
    firstOutcome?.(closed())
    stopping.abort(closed())
    await connecting
  }

  return {
    signal,
    get events() {
      return events
    },
    get ready() {
      return ready
    },
    get cause() {
      return cause
    },
    assertOpen() {
      if (closing !== undefined) throw closed()
    },
    async start(given, connect, late) {
      if (closing !== undefined || signal.aborted) throw closed()
      events = given
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => down(late()), startMilliseconds)
        firstOutcome = (failure) => {
          firstOutcome = undefined
          clearTimeout(timer)
          if (failure === undefined || failure.code === 'unavailable') {
            resolve()
          } else {
            stopping.abort(failure)
            void connecting?.then(() => reject(failure))
          }
        }
        connecting = connect()
      })
    },
    down,
    up() {
      if (signal.aborted || ready) return
      ready = true
      cause = undefined
      events?.state('ready')
      firstOutcome?.()
    },
    async track(sending) {
      inFlight.add(sending)
      try {
        return await sending
      } finally {
        inFlight.delete(sending)
      }
    },
    refusal(channel) {
      if (closing !== undefined) return closed()
      return ready ? undefined : notSent(channel)
    },
    notSent,
    close: (stop, idle) => (closing ??= shutDown(stop, idle)),
  }
}
