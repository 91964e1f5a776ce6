import type { Peer } from './peer.js'

/** A guarantee of the `Backend` contract, and how to find out whether a backend keeps it. */
export interface Case {
  /** The guarantee, as a sentence. */
  readonly title: string
  run(context: CaseContext): Promise<void>
}

/** A case's own world: nothing in it is shared with another case. */
export interface CaseContext {
  /** A backend of its own, started and ready; closed after the case. */
  open(): Promise<Peer>
  /** A channel name that nothing else uses. */
  channel(): string
}
