/** The channel on which clients with recovery talk about what they have published and what they miss. */
export const controlChannel = '$ps.recovery'

/** A channel and a sequence, or a range of sequences (both ends belong to it). */
export type Position = readonly [channel: string, sequence: number]
export type Range = readonly [channel: string, from: number, to: number]

/** Says what has been published up to now; sent while there is something to confirm, and when asked. */
export interface Heartbeat {
  readonly kind: 'heartbeat'
  readonly publisher: string
  /** `idle`: there is nothing more to confirm; `closed`: there will never be. */
  readonly state: 'busy' | 'idle' | 'closed'
  /** The last decided sequence of each channel that has changed, or that was asked for. */
  readonly last: readonly Position[]
  /** The client that has asked, where one has. */
  readonly to?: string
  /**
   * Of the channels asked for: the sequence before the first one that was published since the asking client listens, where
   * the publisher did not use the channel before that.
   */
  readonly since?: readonly Position[]
}

/** Asks one publisher, or all, what they have published. */
export interface Question {
  readonly kind: 'ask'
  readonly from: string
  readonly publisher?: string
  /** The channels, and for how long the asking client has been listening there, in milliseconds. */
  readonly channels: readonly Position[]
}

/** Asks a publisher to send again. */
export interface Request {
  readonly kind: 'request'
  readonly from: string
  readonly publisher: string
  /** The broker over which the one who asks hears that publisher. */
  readonly over: string
  readonly missing: readonly Range[]
}

/** Says which of the messages asked for will not come. */
export interface Refusal {
  readonly kind: 'gone'
  readonly publisher: string
  /** Never accepted: nobody misses them. */
  readonly withdrawn: readonly Range[]
  /** No longer kept. */
  readonly forgotten: readonly Range[]
}

export type ControlMessage = Heartbeat | Question | Request | Refusal

export const encodeControlMessage = (message: ControlMessage): string => JSON.stringify(message)

/** Reads what arrived on the control channel; `undefined` where it is not one of ours, or of a later version. */
export function decodeControlMessage(payload: string): ControlMessage | undefined {
  let value: unknown
  try {
    value = JSON.parse(payload)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  const {
    kind,
    publisher,
    from,
    state,
    last,
    since = [],
    to,
    channels,
    over,
    missing,
    withdrawn,
    forgotten,
  } = value
  if (kind === 'heartbeat') {
    if (!isId(publisher) || !isState(state) || !isPositions(last) || !isPositions(since)) return undefined
    return { kind, publisher, state, last, since, ...(isId(to) && { to }) }
  }
  if (kind === 'ask') {
    if (!isId(from) || !isPositions(channels)) return undefined
    return { kind, from, channels, ...(isId(publisher) && { publisher }) }
  }
  if (kind === 'request') {
    if (!isId(from) || !isId(publisher) || !isId(over) || !isRanges(missing)) return undefined
    return { kind, from, publisher, over, missing }
  }
  if (kind === 'gone') {
    if (!isId(publisher) || !isRanges(withdrawn) || !isRanges(forgotten)) return undefined
    return { kind, publisher, withdrawn, forgotten }
  }
  return undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
const isId = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isState = (value: unknown): value is Heartbeat['state'] =>
  value === 'busy' || value === 'idle' || value === 'closed'
const isSequence = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isPositions = (value: unknown): value is Position[] =>
  Array.isArray(value) &&
  value.every((one) => Array.isArray(one) && one.length === 2 && isId(one[0]) && isSequence(one[1]))
const isRanges = (value: unknown): value is Range[] =>
  Array.isArray(value) &&
  value.every(
    (one) =>
      Array.isArray(one) &&
      one.length === 3 &&
      isId(one[0]) &&
      isSequence(one[1]) &&
      isSequence(one[2]) &&
      one[1] <= one[2],
  )
