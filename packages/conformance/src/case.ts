import type { Settings } from '@ps/core'
import type { Interrupt } from './interrupt.js'
import type { Peer, PeerOptions } from './peer.js'
import type { Survival, SurvivalOptions } from './survival.js'
import type { WatchedClient } from './watched-client.js'

/** A guarantee of a backend, or of a client over it, and how to find out whether it is kept. */
export interface Case {
  /** The guarantee, as a sentence. */
  readonly title: string
  /** What must be at hand beside the backend. */
  readonly needs?: readonly Need[]
  run(context: CaseContext): Promise<void>
}

/**
 * `interrupt`: a way to break connections. `subscriptions`: a broker that can be asked who is subscribed. `backend`: a
 * backend that answers for itself, without a client before it.
 */
export type Need = 'interrupt' | 'subscriptions' | 'backend'

/** A case's own world: nothing in it is shared with another case. */
export interface CaseContext {
  /**
   * A backend of its own, started and ready; closed after the case. Where the suite runs with settings, a client with them
   * over a backend of its own.
   */
  open(options?: PeerOptions): Promise<Peer>
  /** A client of its own, with the suite's settings, over a backend of its own; closed after the case. */
  client(settings?: Settings): Promise<WatchedClient>
  /** Publishes and listens through a fault, over backends of its own. */
  survive(options: Omit<SurvivalOptions, 'create'>): Promise<Survival>
  /** A channel name that nothing else uses. */
  channel(): string
  /** Rejects where the backends have none: such a case has to say that it needs it. */
  readonly interrupt: Interrupt
  /** How long an outage lasts, in milliseconds. */
  readonly outage: number
  /** How many times the case runs at once, as stress. What takes the whole machine alone should then take less. */
  readonly times: number
  /** How many connections the broker counts as subscribed to the channel. */
  subscriptions(channel: string): Promise<number>
  /** Resolves once `condition` holds. Rejects, with what was waited for, when it has not in time. */
  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>
}
