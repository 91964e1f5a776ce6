import type { ApiInbox } from './channels.js'

/** An engine says that it lives: when it starts, every 2 s, whenever its load changes, and once more with `leaving`. */
export interface EngineAnnouncement {
  readonly engine: string
  /** Its host's name, for people. */
  readonly host: string
  /** The process id on that host, for people. */
  readonly processId: number
  /** How many jobs it runs at once. */
  readonly capacity: number
  readonly running: number
  readonly queued: number
  /** The backend that carries its messages now. */
  readonly backend: string
  readonly startedAt: string
  readonly leaving?: true
}

export type JobFormat = 'csv' | 'ndjson'

/** Where an engine reads a job's input from. Never leaves the control channels: the address is signed. */
export interface JobSource {
  readonly format: JobFormat
  /** An HTTP address of the api (`upload`), or of somebody else (`url`), who must then be checked before every request. */
  readonly type: 'upload' | 'url'
  readonly url: string
  /** In bytes, where known. */
  readonly size?: number
}

/** A job to be done. */
export interface JobAssignment {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly createdAt: string
  readonly source: JobSource
  /** Where the engine PUTs all rejected rows as NDJSON when it has any. */
  readonly rejectsUrl: string
}

/**
 * To one engine. A job is handed over in two steps, so that it runs once: the api offers it to one engine at a time, and
 * starts it on the first that accepts in time. An engine keeps an accepted job for 5 s without a start, then forgets it; it starts
 * a job once, however often it is told to.
 */
export type EngineMessage =
  | { readonly type: 'offer'; readonly job: JobAssignment; readonly replyTo: ApiInbox }
  | { readonly type: 'start'; readonly id: string }
  | { readonly type: 'cancel'; readonly id: string }

/** To every engine: announce yourself, and publish every job that you have or remember on `jobs`. */
export interface EnginesMessage {
  readonly type: 'report'
}

/** To one api: the answer to an offer. */
export type ApiMessage =
  | { readonly type: 'accepted'; readonly id: string; readonly engine: string }
  | { readonly type: 'refused'; readonly id: string; readonly engine: string; readonly reason: string }
