/** What the process with the clients is asked for. */
export type CrowdOrder =
  /** Opens so many streams, some at a time, and waits until each has its first bytes. */
  | {
      readonly kind: 'open'
      readonly port: number
      readonly path: string
      readonly count: number
      /** Whether they are to come back. */
      readonly keepsIds: boolean
    }
  /** Waits until all streams together have had so many messages since the last `count`. */
  | { readonly kind: 'await'; readonly messages: number; readonly timeout: number }
  /** Counts from zero from now on. */
  | { readonly kind: 'count' }
  /** Breaks the connections of the streams `from` to below `to`, which keep the last id that they have seen. */
  | { readonly kind: 'cut'; readonly from: number; readonly to: number }
  /** All come back at once. Waits until they have had so many messages; `each` is for equal parts of them, in order. */
  | { readonly kind: 'return'; readonly each: readonly number[]; readonly timeout: number }
  | { readonly kind: 'close' }

export interface Opened {
  readonly milliseconds: number
  /** Those that were answered otherwise, or not at all. */
  readonly refused: number
}

export interface Heard {
  readonly messages: number
  /** Until the last one came, since the order was given. */
  readonly milliseconds: number
}

export interface CrowdAnswers {
  readonly open: Opened
  readonly await: Heard
  readonly count: null
  readonly cut: null
  readonly return: Opened & {
    readonly heard: Heard
    /** Messages that did not come, and those that came beside the wanted ones, of each client for itself. */
    readonly lost: number
    readonly doubled: number
  }
  readonly close: null
}

export interface CrowdRequest {
  readonly number: number
  readonly order: CrowdOrder
}

export type CrowdReply =
  | { readonly number: number; readonly value: CrowdAnswers[CrowdOrder['kind']] }
  | { readonly number: number; readonly error: string }

/** A byte that each message has once, and nothing else. */
export const mark = '~'
