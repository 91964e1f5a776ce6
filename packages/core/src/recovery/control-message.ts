/**
 * The most channels or ranges of one message: with the longest names that is less than 64 KiB, which a broker takes beside
 * what it must, however short the messages of its users may be.
 */
export const maxItems = 200

/**
 * How far a publisher is on a channel: the last decided sequence, the last that it has given, the sequence before its first, and the milliseconds since
 * it used the channel first and last. So whoever listens for longer than the first knows that all of it concerns him, and
 * for less than the last that nothing of it does, however long this was under way.
 */
export type Progress = readonly [
  channel: string,
  decided: number,
  last: number,
  start: number,
  age: number,
  idle: number,
]
/** A channel and a range of sequences; both ends belong to it. */
export type Range = readonly [channel: string, from: number, to: number]

/** Says what has been published up to now; sent while there is something to confirm, and when asked. */
export interface Heartbeat {
  readonly kind: 'heartbeat'
  readonly publisher: string
  /** `idle`: there is nothing more to confirm; `closed`: there will never be. */
  readonly state: 'busy' | 'idle' | 'closed'
  /** The channels that have changed, or that were asked for. */
  readonly progress: readonly Progress[]
}

/** Asks one publisher, or all, what they have published. */
export interface Question {
  readonly kind: 'ask'
  readonly publisher?: string
  readonly channels: readonly string[]
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

/** What may be too much for one message, in pieces. */
export function inPieces<Item>(items: readonly Item[]): Item[][] {
  const pieces: Item[][] = []
  for (let start = 0; start < items.length; start += maxItems)
    pieces.push(items.slice(start, start + maxItems))
  return pieces
}

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
  const { kind, from, publisher, state, progress, channels, over, missing, withdrawn, forgotten } = value
  if (kind === 'heartbeat') {
    if (!isId(publisher) || !isState(state) || !isProgress(progress)) return undefined
    return { kind, publisher, state, progress }
  }
  if (kind === 'ask') {
    if (!Array.isArray(channels) || !channels.every(isId)) return undefined
    return { kind, channels, ...(isId(publisher) && { publisher }) }
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
const isProgress = (value: unknown): value is Progress[] =>
  Array.isArray(value) &&
  value.every(
    (one) => Array.isArray(one) && one.length === 6 && isId(one[0]) && one.slice(1).every(isSequence),
  )
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
