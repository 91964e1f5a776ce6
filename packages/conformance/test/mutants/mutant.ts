import type { Backend, BackendEvents, Client } from '@ps/core'

/** What is wrong with a backend, as changes to a sound one. */
export type Break = (backend: Backend) => Partial<Backend>

/** One change that makes something sound unsound, and the cases that must find it. */
export interface Mutant {
  /** Completes "a backend that …". */
  readonly fault: string
  /** The beginnings of the titles of the cases that fail on it. */
  readonly fails: readonly string[]
  readonly change: Change
}

export type Change =
  | { readonly backend: Break }
  /** Of the client over a sound backend. */
  | { readonly client: (client: Client) => Client }
  /** Of the code of docs/write-a-backend.md: what stands there once, and what stands in its place. */
  | { readonly code: readonly [found: string, replacement: string] }

/** Passes other events on than it gets. */
export const withEvents =
  (change: (events: BackendEvents) => Partial<BackendEvents>): Break =>
  ({ start }) => ({ start: (events) => start({ ...events, ...change(events) }) })

/** Like {@link withEvents}, with what it takes to speak out of turn: `told` is empty before the start. */
export const withTold =
  (change: (backend: Backend, told: () => BackendEvents | undefined) => Partial<Backend>): Break =>
  (backend) => {
    let told: BackendEvents | undefined
    const start = (events: BackendEvents): Promise<void> => {
      told = events
      return backend.start(events)
    }
    return { start, ...change(backend, () => told) }
  }

/** Uses other names on the wire than it is given. */
export const withNames =
  (change: (channel: string) => string): Break =>
  ({ subscribe, unsubscribe, publish, start }) => {
    const names = new Map<string, string>()
    return {
      start: (events) =>
        start({
          ...events,
          message: (channel, payload) => events.message(names.get(channel) ?? channel, payload),
        }),
      subscribe(channel) {
        names.set(change(channel), channel)
        return subscribe(change(channel))
      },
      unsubscribe: (channel) => unsubscribe(change(channel)),
      publish: (channel, payload) => publish(change(channel), payload),
    }
  }

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
