import {
  type Backend,
  type BackendEvents,
  type BackendModule,
  PubSubError,
  type PubSubErrorCode,
  publishBySending,
  type Send,
} from '../src/index.js'
import { createMemoryBroker } from '../src/memory.js'

/** A backend over a memory broker whose connection a test breaks and repairs, and whose answers it holds back. */
export interface ControlledBackend extends BackendModule {
  /** Loses the connection: publishes not yet acknowledged fail with `inFlight`, new ones with `not_sent`. */
  disconnect(reason?: string, inFlight?: PubSubErrorCode): void
  /** Restores the connection and tells of the gap. */
  reconnect(): void
  /** While held, no publish is acknowledged (nor delivered). */
  hold(held: boolean): void
  /** Acknowledges and delivers the oldest `count` publishes that are held. */
  accept(count: number): void
  /** Fails the oldest `count` publishes that are held. */
  reject(code: PubSubErrorCode, count: number): void
  /** While held, no subscribe is executed, and no unsubscribe is confirmed. */
  holdEdges(held: boolean): void
  /** Tells of a gap without losing the connection. */
  gap(reason: string): void
  /** What the next publishes and subscribes are refused with, if anything. */
  refuse(code: PubSubErrorCode | undefined): void
  /** The calls that the broker has seen. */
  readonly calls: string[]
  /** Delivers a payload as a foreign publisher would. */
  foreign(channel: string, payload: string): void
}

export function createControlledBackend(
  name: string,
  {
    startsDown = false,
    startsLate = false,
    sends = true,
    payloadBytes,
  }: { startsDown?: boolean; startsLate?: boolean; sends?: boolean; payloadBytes?: number } = {},
): ControlledBackend {
  const broker = createMemoryBroker()
  const calls: string[] = []
  const pending: { send(): void; fail(error: PubSubError): void }[] = []
  const waitingForConnection: (() => void)[] = []
  let events: BackendEvents | undefined
  let connected = false
  let held = false
  let edgesHeld = false
  const heldEdges: (() => void)[] = []
  let refusal: PubSubErrorCode | undefined

  const passEdges = async (): Promise<void> => {
    if (edgesHeld) await new Promise<void>((resolve) => heldEdges.push(resolve))
  }

  const failure = (code: PubSubErrorCode): PubSubError =>
    new PubSubError(code, `${name}: ${code}`, { backend: name })

  return {
    calls,
    createBackend(): Backend {
      const inner = broker.createBackend()
      const give: Send = (channel, payload, settled, ticket) => {
        const code = connected ? refusal : 'not_sent'
        if (code !== undefined) return queueMicrotask(() => settled(ticket, failure(code)))
        calls.push(`publish ${channel} ${payload}`)
        const settle = (error?: PubSubError): void => settled(ticket, error)
        const send = (): void => void inner.publish(channel, payload).then(() => settle(), settle)
        if (held) pending.push({ send, fail: settle })
        else send()
      }
      return {
        ...inner,
        ...(payloadBytes !== undefined && { payloadBytes }),
        name,
        async start(given) {
          events = given
          await inner.start({ ...given, state: () => {} })
          if (startsLate) await new Promise((resolve) => setImmediate(resolve))
          connected = !startsDown
          if (connected) given.state('ready')
          else given.state('down', new Error('connect ECONNREFUSED 127.0.0.1:1'))
        },
        async subscribe(channel) {
          if (!connected) await new Promise<void>((resolve) => waitingForConnection.push(resolve))
          calls.push(`subscribe ${channel}`)
          await passEdges()
          if (refusal !== undefined) throw failure(refusal)
          await inner.subscribe(channel)
        },
        async unsubscribe(channel) {
          calls.push(`unsubscribe ${channel}`)
          await inner.unsubscribe(channel)
          await passEdges()
        },
        publish: publishBySending(give),
        ...(sends && { send: give }),
        async ping() {
          if (!connected) throw failure('unavailable')
        },
        async close() {
          calls.push('close')
          connected = false
          await inner.close()
        },
      }
    },
    disconnect(reason = 'connection reset', inFlight = 'outcome_unknown') {
      connected = false
      events?.state('down', new Error(reason))
      for (const { fail } of pending.splice(0)) fail(failure(inFlight))
    },
    reconnect() {
      connected = true
      for (const resume of waitingForConnection.splice(0)) resume()
      events?.gap('the connection was lost')
      events?.state('ready')
    },
    hold(next) {
      held = next
      if (!held) for (const { send } of pending.splice(0)) send()
    },
    holdEdges(next) {
      edgesHeld = next
      if (!edgesHeld) for (const pass of heldEdges.splice(0)) pass()
    },
    accept(count) {
      for (const { send } of pending.splice(0, count)) send()
    },
    reject(code, count) {
      for (const { fail } of pending.splice(0, count)) fail(failure(code))
    },
    gap: (reason) => events?.gap(reason),
    refuse(code) {
      refusal = code
    },
    foreign: (channel, payload) => events?.message(channel, payload),
  }
}
