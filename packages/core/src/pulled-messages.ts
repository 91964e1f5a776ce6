import type { Gap, ListenOptions, MessagesOptions, Subscription } from './client.js'
import { PubSubError } from './errors.js'

type Listen = (
  callback: (message: unknown) => unknown,
  options: ListenOptions,
  onOverflowClose: () => void,
) => Promise<Subscription>

/** Turns `listen` into an iterator: the callback's promise is kept open until the next message is pulled, so the listener's bounded queue holds the rest. */
export function pullMessages(
  channel: string,
  listen: Listen,
  { throwOnGap = false, onGap, signal, overflow }: MessagesOptions,
  onClose: (end: () => void) => () => void,
): AsyncIterableIterator<unknown> {
  let started: Promise<Subscription> | undefined
  let ended = false
  let failure: unknown
  // The message that the callback has brought and nobody has pulled yet, and what lets the callback go on.
  let held: { message: unknown; release(): void } | undefined
  let pulls: { resolve(result: IteratorResult<unknown>): void; reject(error: unknown): void }[] = []
  const stop = new AbortController()

  const end = (error?: unknown): void => {
    if (ended) return
    ended = true
    signal?.removeEventListener('abort', onAbort)
    forgetClient()
    stop.abort()
    held?.release()
    held = undefined
    const [first, ...rest] = pulls
    pulls = []
    if (error === undefined) first?.resolve({ done: true, value: undefined })
    else if (first === undefined) failure = error
    else first.reject(error)
    for (const pull of rest) pull.resolve({ done: true, value: undefined })
  }
  const onAbort = (): void => end()
  const forgetClient = onClose(() => end())
  signal?.addEventListener('abort', onAbort)
  if (signal?.aborted) end()

  const take = (message: unknown): Promise<void> | undefined => {
    const pull = pulls.shift()
    if (pull !== undefined) {
      pull.resolve({ done: false, value: message })
      return undefined
    }
    return new Promise((release) => {
      held = { message, release }
    })
  }

  const tellGap = (gap: Gap): void => {
    if (throwOnGap)
      end(
        new PubSubError(
          'gap',
          `messages may be missing on channel ${JSON.stringify(channel)}: ${gap.reason}`,
          { channel },
        ),
      )
    // Returned, because it may be a promise that rejects, which is reported as that of any other listener.
    return onGap?.(gap)
  }

  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      if (failure !== undefined) {
        const error = failure
        failure = undefined
        return Promise.reject(error)
      }
      if (ended) return Promise.resolve({ done: true, value: undefined })
      if (held !== undefined) {
        const { message, release } = held
        held = undefined
        release()
        return Promise.resolve({ done: false, value: message })
      }
      return new Promise((resolve, reject) => {
        pulls.push({ resolve, reject })
        if (started !== undefined) return
        started = listen(take, { signal: stop.signal, onGap: tellGap, overflow }, () => end())
        started.catch((error: unknown) => end(error))
      })
    },
    async return() {
      const subscription = started?.catch(() => undefined)
      end()
      await (await subscription)?.unsubscribe()
      return { done: true, value: undefined }
    },
  }
}
