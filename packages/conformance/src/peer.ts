import { type Backend, type BackendEvents, describeError } from '@ps/core'

/** A started backend, what has arrived at it, and what has gone wrong with it. */
export interface Peer {
  readonly backend: Backend
  /** Publishes the JSON text of `value`. */
  publish(channel: string, value: unknown): Promise<void>
  /** The payloads of the channel so far, in the order of arrival, as JSON values. */
  values(channel: string): unknown[]
  /** Resolves with {@link values} once there are at least `count`. */
  arrived(channel: string, count: number): Promise<unknown[]>
  /** Closes the backend, and rejects with all that it should not have done. */
  finish(): Promise<void>
}

/** Starts the backend and waits until it is ready. Nothing is waited for longer than `patience` milliseconds. */
export async function startPeer(backend: Backend, patience: number): Promise<Peer> {
  const received = new Map<string, string[]>()
  const faults: string[] = []
  const watchers = new Set<() => void>()
  let state = 'not started'
  let finished = false

  const changed = (): void => {
    for (const watcher of watchers) watcher()
  }
  const noteFault = (fault: string): void => {
    faults.push(fault)
    changed()
  }
  const expectOpen = (event: string): void => {
    if (finished) noteFault(`${event} was called after close() had resolved`)
  }

  const events: BackendEvents = {
    message(channel, payload) {
      expectOpen('message')
      const payloads = received.get(channel) ?? []
      received.set(channel, payloads)
      payloads.push(payload)
      changed()
    },
    gap: (reason) => noteFault(`gap was called though nothing was interrupted: ${reason}`),
    state(next, cause) {
      expectOpen('state')
      if (next === 'down' && state === 'ready') noteFault(`it went down: ${describeError(cause)}`)
      state = next === 'down' ? `down: ${describeError(cause)}` : next
      changed()
    },
    invalid: (channel, cause) =>
      noteFault(`invalid was called for channel ${JSON.stringify(channel)}: ${describeError(cause)}`),
  }

  /** Rejects as soon as there is a fault, for then the condition may never come true. */
  const until = (condition: () => boolean, describe: () => string): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (failure?: string): void => {
        clearTimeout(timer)
        watchers.delete(watcher)
        if (failure === undefined) resolve()
        else reject(new Error(failure))
      }
      const watcher = (): void => {
        if (condition()) settle()
        else if (faults.length > 0) settle(faults.join('; '))
      }
      const timer = setTimeout(() => settle(`after ${patience / 1_000} s ${describe()}`), patience)
      watchers.add(watcher)
      watcher()
    })

  const values = (channel: string): unknown[] =>
    (received.get(channel) ?? []).map((payload): unknown => JSON.parse(payload))

  try {
    await backend.start(events)
    await until(
      () => state === 'ready',
      () => `the backend is not ready but ${state}`,
    )
  } catch (error) {
    await backend.close()
    throw error
  }

  return {
    backend,
    publish: (channel, value) => backend.publish(channel, JSON.stringify(value)),
    values,
    async arrived(channel, count) {
      const seen = (): number => received.get(channel)?.length ?? 0
      await until(
        () => seen() >= count,
        () => `${seen()} of ${count} messages have arrived on channel ${JSON.stringify(channel)}`,
      )
      return values(channel)
    },
    async finish() {
      await backend.close()
      finished = true
      // Whatever is still on its way has its chance to show.
      await new Promise((resolve) => setImmediate(resolve))
      if (faults.length > 0) throw new Error(`${backend.name}: ${faults.join('; ')}`)
    },
  }
}
