import { type Backend, type BackendEvents, type BackendState, describeError } from '@ps/core'

export interface PeerOptions {
  /** The case interrupts the connections: going down and telling of a gap are then no faults. Default: `false`. */
  readonly interrupted?: boolean
  /** The broker is away: do not wait until the backend is ready. Default: `false`. */
  readonly brokerAway?: boolean
  /** It speaks with the broker itself, as a program without our client does. Default: `false`. */
  readonly foreign?: boolean
}

/** A started backend, what has arrived at it, and what has gone wrong with it. */
export interface Peer {
  readonly backend: Backend
  /** Publishes the JSON text of `value`. */
  publish(channel: string, value: unknown): Promise<void>
  /** The payloads of the channel so far, in the order of arrival, as JSON values. */
  values(channel: string): unknown[]
  /** Resolves with {@link values} once there are at least `count`. */
  arrived(channel: string, count: number): Promise<unknown[]>
  /** What the backend has said of its state last, if anything. */
  readonly state: BackendState | undefined
  /** The reasons of the gaps that it has told. */
  readonly gaps: readonly string[]
  /** `down`, `gap` and `ready` in the order in which they were told. */
  readonly told: readonly string[]
  /** Closes the backend, and rejects with all that it should not have done. */
  finish(): Promise<void>
}

/** Starts the backend and waits until it is ready. Nothing is waited for longer than `patience` milliseconds. */
export async function startPeer(
  backend: Backend,
  patience: number,
  { interrupted = false, brokerAway = false }: PeerOptions = {},
): Promise<Peer> {
  const received = new Map<string, string[]>()
  const faults: string[] = []
  const watchers = new Set<() => void>()
  const gaps: string[] = []
  const told: string[] = []
  let state: BackendState | undefined
  let downCause = 'not started'
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
    gap(reason) {
      expectOpen('gap')
      if (!interrupted) noteFault(`gap was called though nothing was interrupted: ${reason}`)
      gaps.push(reason)
      told.push('gap')
      changed()
    },
    state(next, cause) {
      expectOpen('state')
      if (next === 'down' && state === 'ready' && !interrupted)
        noteFault(`it went down: ${describeError(cause)}`)
      state = next
      downCause = describeError(cause)
      told.push(next)
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
    if (!brokerAway) {
      await until(
        () => state === 'ready',
        () => `the backend is not ready but down: ${downCause}`,
      )
    }
  } catch (error) {
    await backend.close()
    throw error
  }

  return {
    backend,
    publish: (channel, value) => backend.publish(channel, JSON.stringify(value)),
    values,
    gaps,
    told,
    get state() {
      return state
    },
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
