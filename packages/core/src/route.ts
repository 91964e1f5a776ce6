import type { Broker } from './broker.js'
import { describeError } from './errors.js'

/** How long a broker that is up but refuses messages is left alone, in milliseconds. */
export const pauseAfterRefusal = 250

/** Which broker messages are published on now. */
export interface Route {
  /** The broker to publish on, if one takes messages. */
  current(): Broker | undefined
  /** The broker that carries messages, or did so last. */
  readonly chosen: Broker
  /** Why it was chosen, in words. */
  readonly reason: string
  /** When it was chosen, in milliseconds since 1970. */
  readonly since: number
  /** To be called whenever a broker's state has changed. */
  update(): void
  /** Leaves a broker alone for a moment, because it refused a message although it is up. */
  pause(broker: Broker): void
  /** Leaves a broker that does not answer until `resume`, if there is another one. Whether there is. `update` is to follow. */
  suspend(broker: Broker): boolean
  resume(broker: Broker): void
  close(): void
}

/**
 * Chooses the first healthy of `brokers` (at least one), the first choice first; tells `onChange` when there may be a new
 * one. Publishing returns to an earlier one when it has been up for `returnAfter` milliseconds.
 */
export function createRoute(
  brokers: readonly [Broker, ...Broker[]],
  returnAfter: number,
  onChange: () => void,
): Route {
  const [first] = brokers
  // In milliseconds of `performance.now()`, as all that is waited for: a clock that is set back must hold up nothing.
  const pausedUntil = new Map<Broker, number>()
  const suspended = new Set<Broker>()
  let chosen = first
  let reason = 'it is the first choice'
  let since = Date.now()
  let carrying = false
  let timer: NodeJS.Timeout | undefined

  const pauseEnd = (broker: Broker): number => pausedUntil.get(broker) ?? Number.NEGATIVE_INFINITY
  const isPaused = (broker: Broker): boolean =>
    pausedUntil.has(broker) && pauseEnd(broker) > performance.now()
  const isUp = (broker: Broker): boolean => broker.state === 'ready' && !suspended.has(broker)
  const isUsable = (broker: Broker): boolean => isUp(broker) && !isPaused(broker)
  /** From when on publishing may return to a broker that is up. */
  const returnsAt = (broker: Broker): number => Math.max(broker.since, pauseEnd(broker)) + returnAfter

  const whyNotFirst = (): string => {
    if (first.cause !== undefined) return `${first.name} is unreachable: ${describeError(first.cause)}`
    return `${first.name} ${suspended.has(first) ? 'is unreachable: it does not answer' : 'takes no messages'}`
  }

  const choose = (broker: Broker): void => {
    carrying = true
    if (broker === chosen) return
    chosen = broker
    since = Date.now()
    reason = broker === first ? `${first.name} is back` : whyNotFirst()
  }

  const wakeAt = (time: number): void => {
    clearTimeout(timer)
    timer = setTimeout(update, Math.max(1, time - performance.now()))
    timer.unref()
  }

  const update = (): void => {
    const carries = carrying && isUsable(chosen)
    const now = performance.now()
    const usable = brokers.find((broker) =>
      carries && broker !== chosen ? isUp(broker) && returnsAt(broker) <= now : isUsable(broker),
    )
    if (usable !== undefined) choose(usable)
    // Who is up and would be preferred, but only later.
    const better = brokers
      .slice(0, usable === undefined ? brokers.length : brokers.indexOf(usable))
      .filter(isUp)
    if (better.length > 0) wakeAt(Math.min(...better.map(usable === undefined ? pauseEnd : returnsAt)))
    onChange()
  }

  return {
    current: () => (isUsable(chosen) ? chosen : undefined),
    get chosen() {
      return chosen
    },
    get reason() {
      return reason
    },
    get since() {
      return since
    },
    update,
    pause(broker) {
      pausedUntil.set(broker, performance.now() + pauseAfterRefusal)
      update()
    },
    suspend(broker) {
      if (!brokers.some((other) => other !== broker && isUsable(other))) return false
      suspended.add(broker)
      return true
    },
    resume(broker) {
      suspended.delete(broker)
      // Publishing returns after as long as if it had been down until now.
      pausedUntil.set(broker, performance.now())
      update()
    },
    close: () => clearTimeout(timer),
  }
}
