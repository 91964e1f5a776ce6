import type { Backend, BackendEvents, BackendState } from './backend.js'
import { describeError, isPubSubError, PubSubError } from './errors.js'
import { type Send, sendByPublishing } from './send.js'
import type { SqlTransaction } from './sql-transaction.js'

/** A backend, its state as it reports it, and the channels that are subscribed on it. */
export interface Broker {
  readonly name: string
  readonly backend: Backend
  /** `down` until the backend has reported otherwise. */
  readonly state: BackendState
  /** Why it is down. */
  readonly cause: Error | undefined
  /** When the last state began, in milliseconds of `performance.now()`. */
  readonly since: number
  /** Starts the backend; resolves when its state is known; rejects as {@link Backend.start} does. */
  start(): Promise<void>
  /** Asks for the channel; the outcome comes by `confirmed` or `refused`. Idempotent. */
  subscribe(channel: string): void
  /** Lets go of the channel; resolves when the broker has, or at once while it is down. Idempotent. */
  unsubscribe(channel: string): Promise<void>
  /** Publishes as {@link Backend.publish} does. */
  publish(channel: string, payload: string): Promise<void>
  /** Publishes as {@link Backend.send} does, also over a backend that has none. */
  readonly send: Send
  /** Publishes as {@link Backend.publishWith} does; `undefined` where the backend cannot. */
  readonly publishWith: ((sql: SqlTransaction, channel: string, payload: string) => Promise<void>) | undefined
  /** Whether what is published on the channel now arrives. */
  isLive(channel: string): boolean
}

export interface BrokerEvents {
  message(channel: string, payload: string): void
  invalid(channel: string, cause: Error): void
  /** The subscriptions were interrupted and are live again. */
  gap(reason: string): void
  stateChanged(broker: Broker): void
  /** It is still down, and for another reason than it said before. */
  causeChanged(broker: Broker): void
  confirmed(channel: string): void
  /** The broker refuses the channel; it is not subscribed. */
  refused(channel: string, error: PubSubError): void
}

interface Edge {
  wanted: boolean
  subscribed: boolean
  /** Set while the edge is being brought from what is subscribed to what is wanted. */
  settling: Promise<void> | undefined
}

/**
 * Puts a backend under core's rules: calls on the edges of a channel only, serialised a channel, a failed edge rolled
 * back. `prefix` stands before every channel name on the wire, and only there.
 */
export function createBroker(backend: Backend, prefix: string, events: BrokerEvents): Broker {
  const { name } = backend
  const edges = new Map<string, Edge>()
  let state: BackendState = 'down'
  let cause: Error | undefined
  let since = performance.now()
  let reported = false
  let onReported: (() => void) | undefined
  // What the backend says; `state` is ready once what was asked for meanwhile is confirmed as well.
  let up = false
  let reports = 0
  // Who waits for an edge, of which there may be no end once the broker is down.
  const waiting = new Set<() => void>()

  const asPubSubError = (error: unknown): PubSubError =>
    isPubSubError(error)
      ? error
      : new PubSubError('unavailable', `${name}: ${describeError(error)}`, { backend: name, cause: error })

  const settle = async (channel: string, edge: Edge): Promise<void> => {
    // `settling` must be set before this can end, even where the backend throws at once.
    await Promise.resolve()
    // It was let go and asked for again meanwhile, before the backend knew.
    if (edge.wanted && edge.subscribed) events.confirmed(channel)
    // What is wanted may change while a call is under way, so this runs until both agree.
    while (edge.wanted !== edge.subscribed) {
      if (edge.wanted) {
        if (!up) break
        try {
          await backend.subscribe(prefix + channel)
          edge.subscribed = true
          if (edge.wanted) events.confirmed(channel)
        } catch (error) {
          edge.wanted = false
          events.refused(channel, asPubSubError(error))
        }
      } else {
        // From the call on nothing arrives: whoever wants the channel now must wait until it is subscribed again.
        edge.subscribed = false
        try {
          await backend.unsubscribe(prefix + channel)
        } catch {
          // Nobody listens any more, so there is nothing to do about it.
        }
      }
    }
    edge.settling = undefined
    if (!edge.wanted) edges.delete(channel)
  }

  const want = (channel: string, wanted: boolean): Edge => {
    const edge = edges.get(channel) ?? { wanted: false, subscribed: false, settling: undefined }
    edges.set(channel, edge)
    edge.wanted = wanted
    if (wanted !== edge.subscribed) {
      // Held back while down, so that what is given up meanwhile leaves nothing behind.
      if (up || edge.subscribed) edge.settling ??= settle(channel, edge)
    } else if (!wanted && edge.settling === undefined) {
      edges.delete(channel)
    }
    return edge
  }

  const enter = (next: BackendState): void => {
    const changed = next !== state || !reported
    reported = true
    onReported?.()
    state = next
    if (!changed) return
    if (next === 'down') for (const goOn of waiting) goOn()
    since = performance.now()
    events.stateChanged(broker)
  }

  const becomeReady = async (report: number, missing: readonly [string, Edge][]): Promise<void> => {
    await Promise.all(missing.map(([channel, edge]) => (edge.settling ??= settle(channel, edge))))
    if (report === reports) enter('ready')
  }

  const give: Send = backend.send?.bind(backend) ?? sendByPublishing(backend)
  const giveWith = backend.publishWith?.bind(backend)

  const backendEvents: BackendEvents = {
    message: (channel, payload) => events.message(channel.slice(prefix.length), payload),
    invalid: (channel, cause) => events.invalid(channel.slice(prefix.length), cause),
    gap: events.gap,
    state(next, why) {
      reports += 1
      up = next === 'ready'
      const before = cause
      cause = up ? undefined : (why ?? cause)
      const missing = up ? [...edges].filter(([, edge]) => edge.wanted && !edge.subscribed) : []
      if (next === state && before !== undefined && cause !== undefined && cause.message !== before.message)
        events.causeChanged(broker)
      if (missing.length === 0) enter(next)
      else void becomeReady(reports, missing)
    },
  }

  const broker: Broker = {
    name,
    backend,
    get state() {
      return state
    },
    get cause() {
      return cause
    },
    get since() {
      return since
    },
    async start() {
      await backend.start(backendEvents)
      // What was subscribed before is confirmed first.
      if (up && !reported)
        await new Promise<void>((resolve) => {
          onReported = resolve
        })
    },
    publish: (channel, payload) => backend.publish(prefix + channel, payload),
    send: (channel, payload, settled, ticket) => give(prefix + channel, payload, settled, ticket),
    publishWith: giveWith && ((sql, channel, payload) => giveWith(sql, prefix + channel, payload)),
    subscribe: (channel) => void want(channel, true),
    async unsubscribe(channel) {
      if (!edges.has(channel)) return
      const { settling } = want(channel, false)
      // While the broker is down a pending subscription has no end to wait for; it is undone when there is one.
      if (state !== 'ready' || settling === undefined) return
      await new Promise<void>((resolve) => {
        waiting.add(resolve)
        void settling.then(resolve).then(() => waiting.delete(resolve))
      })
    },
    isLive: (channel) => state === 'ready' && edges.get(channel)?.subscribed === true,
  }
  return broker
}
