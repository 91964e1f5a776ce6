import { mayBeMarked } from '../pack.js'

/** Where a message comes from: the one extra member that a client with recovery puts in front of the others. */
export interface Origin {
  /** The id of the publishing client; no two clients share one. */
  readonly publisher: string
  /** The place of the message, or of the first of a pack, among those of its publisher on its channel. */
  readonly sequence: number
  /** How many messages the payload carries: more than one in a pack. */
  readonly count: number
  /** The publisher has published nothing before it on this channel. */
  readonly isFirst: boolean
  /** The payload without its origin. */
  readonly text: string
}

/** What every payload with an origin begins with. */
export const originPrefix = '{"$ps":"1;'
/** Stands before what is no object, or has a member of the same name. */
export const originWrapper = '"message":'
const quote = 0x22
const semicolon = 0x3b
const zero = 0x30

/** The most bytes that an origin adds to a message. */
export const maxOriginBytes = 96

/** Reads origins; it remembers the last publisher, since the next message is often of the same. */
export function createOriginReader(): (payload: string) => Origin | undefined {
  let last = ''

  /** The origin of a payload, or `undefined` where it has none that can be read: then it is a plain message. */
  return (payload) => {
    if (!mayBeMarked(payload) || !payload.startsWith(originPrefix)) return undefined
    let publisherEnd = originPrefix.length + last.length
    if (
      last === '' ||
      payload.charCodeAt(publisherEnd) !== semicolon ||
      !payload.startsWith(last, originPrefix.length)
    ) {
      publisherEnd = payload.indexOf(';', originPrefix.length)
      if (publisherEnd <= originPrefix.length) return undefined
      last = payload.slice(originPrefix.length, publisherEnd)
    }
    let end = publisherEnd + 1
    let sequence = 0
    for (; ; end += 1) {
      const digit = payload.charCodeAt(end) - zero
      // Also where the payload has ended: a comparison with NaN is false.
      if (!(digit >= 0 && digit <= 9)) break
      sequence = sequence * 10 + digit
    }
    if (sequence === 0 || !Number.isSafeInteger(sequence)) return undefined
    const publisher = last
    if (payload.charCodeAt(end) === quote) {
      const text = textBehind(payload, end, false)
      return text === undefined ? undefined : { publisher, sequence, count: 1, isFirst: false, text }
    }
    if (payload.charCodeAt(end) !== semicolon) return undefined
    const flags = /^(w?)(f?)([1-9]\d{0,8})?"/.exec(payload.slice(end + 1, end + 13))
    if (flags === null) return undefined
    const [all, wrapped, first, count = '1'] = flags
    const text = textBehind(payload, end + all.length, wrapped !== '')
    if (text === undefined) return undefined
    return { publisher, sequence, count: Number(count), isFirst: first !== '', text }
  }
}

/** What stands behind the origin, of which the closing quote is at `end`. */
function textBehind(payload: string, end: number, isWrapped: boolean): string | undefined {
  if (isWrapped) {
    const start = end + 2
    return payload.startsWith(originWrapper, start)
      ? payload.slice(start + originWrapper.length, -1)
      : undefined
  }
  const rest = payload.slice(end + 2)
  return rest === '' ? '{}' : `{${rest}`
}

/** Makes sure that a message is not taken for one with an origin: a space after `{`, which means nothing in JSON. */
export const escapeOrigin = (text: string): string =>
  text.startsWith(originPrefix) ? `{ ${text.slice(1)}` : text
