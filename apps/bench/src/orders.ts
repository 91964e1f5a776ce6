import type { Role } from './adapter.js'
import { type BackendName, contestants } from './contestants.js'

/** What a worker is started with. */
export interface WorkerOptions {
  readonly backend: BackendName
  readonly contestant: string
  readonly role: Role
}

/** The channels of one contestant: where all are idle at the same time, nobody hears another's. */
export const channelNames = (backend: BackendName, contestant: string): ((channel: number) => string) => {
  const place = contestants.findIndex((one) => one.backend === backend && one.name === contestant)
  const prefix = `bench-${String(place).padStart(2, '0')}-`
  return (channel) => prefix + channel
}

/** How to publish. */
export interface Load {
  /** For how long, in milliseconds. */
  readonly milliseconds: number
  /** So many, however long it takes. */
  readonly messages?: number
  /** Publishes that wait for their acknowledgement at a time. */
  readonly inFlight: number
  /** Messages a second, spread over the ticks of a timer of 1 ms. Without it, as fast as acknowledgements come. */
  readonly rate?: number
  /** Of a message's JSON text. */
  readonly bytes: number
  /** Messages go to so many channels in turn. */
  readonly channels: number
  /** The number of the first of them. Default: 0. */
  readonly firstChannel?: number
}

/** What the process that runs the benchmark asks a worker for. */
export type Order =
  | { readonly kind: 'connect'; readonly url: string; readonly standbyUrl: string | undefined }
  | { readonly kind: 'listen'; readonly channels: number; readonly listeners: number }
  /** Publishes once on each channel that has not been heard of. */
  | { readonly kind: 'probe'; readonly channels: readonly number[] }
  /** Which of the channels have no probe heard yet. */
  | { readonly kind: 'unheard' }
  | { readonly kind: 'publish'; readonly load: Load }
  /** Counts from zero from now on. */
  | { readonly kind: 'count' }
  /** Waits for so many deliveries, or for silence. */
  | { readonly kind: 'tally'; readonly deliveries: number }
  | { readonly kind: 'cpu' }
  | { readonly kind: 'memory' }
  | { readonly kind: 'disconnect' }

export interface Published {
  readonly begun: number
  readonly acknowledged: number
  readonly failed: number
  /** Of a failure, one that stands for all. */
  readonly failure: string
  /** When the last acknowledgement came. */
  readonly ended: number
}

export interface Tally {
  readonly delivered: number
  readonly doubled: number
  readonly disordered: number
  /** When the last delivery came. */
  readonly ended: number
  /** Milliseconds, of those that say when they were sent. */
  readonly latency?: { readonly p50: number; readonly p99: number; readonly max: number }
}

/** What each order is answered with. */
export interface Answers {
  readonly connect: null
  readonly listen: { readonly milliseconds: number }
  readonly probe: null
  readonly unheard: readonly number[]
  readonly publish: Published
  readonly count: null
  readonly tally: Tally
  /** Milliseconds of CPU so far. */
  readonly cpu: number
  /** Bytes that live after a collection. */
  readonly memory: number
  readonly disconnect: null
}

export interface Request {
  readonly number: number
  readonly order: Order
}

export type Reply =
  | { readonly number: number; readonly value: Answers[keyof Answers] }
  | { readonly number: number; readonly error: string }
