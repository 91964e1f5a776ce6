import { randomBytes } from 'node:crypto'

/** The longest payload of one NOTIFY, in bytes of the database's encoding (PostgreSQL: BLCKSZ - NAMEDATALEN - 129). */
export const maxPayloadBytes = 7_999

const prefix = '{"$ps.part":'
const escapedPrefix = '{ "$ps.part":'

/** `{"$ps.part":["<12 characters>",<7 digits>,<7 digits>],"data":""}`: all of a part but its data. */
const envelopeBytes = 55
/** How many bytes of a message fit one part; a multiple of 3, so that base64 needs no padding but at the end. */
const dataBytes = Math.floor((maxPayloadBytes - envelopeBytes) / 4) * 3

/** Cuts a payload that is too long for one notification into parts that are sent in this order. */
export function splitIntoParts(payload: string): string[] {
  const bytes = Buffer.from(payload)
  const count = Math.ceil(bytes.length / dataBytes)
  const id = randomBytes(9).toString('base64url')
  return Array.from({ length: count }, (_, index) => {
    const data = bytes.toString('base64', index * dataBytes, (index + 1) * dataBytes)
    return `${prefix}["${id}",${index},${count}],"data":"${data}"}`
  })
}

/** Makes sure that a message is not taken for a part: a space after `{`, which means nothing in JSON. */
export const escapePart = (payload: string): string =>
  payload.startsWith(prefix) ? escapedPrefix + payload.slice(prefix.length) : payload

/** Undoes {@link escapePart}. */
export const unescapePart = (payload: string): string =>
  payload.startsWith(escapedPrefix) ? prefix + payload.slice(escapedPrefix.length) : payload

interface Part {
  readonly id: string
  readonly index: number
  readonly count: number
  readonly data: string
}

function parsePart(payload: string): Part | undefined {
  if (!payload.startsWith(prefix)) return undefined
  let value: unknown
  try {
    value = JSON.parse(payload)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== '$ps.part,data')
    return undefined
  const { '$ps.part': position, data } = value as { '$ps.part': unknown; data: unknown }
  if (!Array.isArray(position) || position.length !== 3) return undefined
  const [id, index, count] = position as unknown[]
  return typeof id === 'string' &&
    id !== '' &&
    Number.isSafeInteger(index) &&
    Number.isSafeInteger(count) &&
    (index as number) >= 0 &&
    (index as number) < (count as number) &&
    typeof data === 'string' &&
    data.length % 4 === 0 &&
    /^[A-Za-z0-9+/]+={0,2}$/.test(data)
    ? { id, index: index as number, count: count as number, data }
    : undefined
}

interface Unfinished {
  readonly channel: string
  readonly id: string
  readonly count: number
  parts: number
  /** What the parts brought is copied together at once: a small Buffer of its own would hold 8 kB of Node's pool. */
  bytes: Buffer
  length: number
}

/** After so long without its next part, in milliseconds, a message is given up: its parts are sent together. */
const defaultExpiry = 30_000

/** What {@link createPartReader} calls. */
export interface PartReaderEvents {
  /** A payload is whole. */
  payload(channel: string, payload: string): void
  /** A message in parts was dropped. */
  invalid(channel: string, reason: string): void
}

/**
 * Puts the parts of messages together again. The parts of one message follow one another directly, so one unfinished
 * message of at most `maxBytes` is all that it ever holds; whatever breaks the sequence drops it, and so does a pause of
 * `expiry` milliseconds.
 */
export function createPartReader(
  maxBytes: number,
  { payload: deliver, invalid }: PartReaderEvents,
  expiry = defaultExpiry,
): (channel: string, payload: string) => void {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let unfinished: Unfinished | undefined
  let timer: NodeJS.Timeout | undefined
  // The message that was dropped last.
  let dropped: string | undefined

  const forget = (): void => {
    unfinished = undefined
    clearTimeout(timer)
  }

  const drop = (channel: string, id: string, reason: string): void => {
    forget()
    // Once a message, whatever still comes of it.
    const message = `${channel} ${id}`
    if (dropped !== message) invalid(channel, reason)
    dropped = message
  }

  const dropUnfinished = (): void => {
    if (unfinished !== undefined) drop(unfinished.channel, unfinished.id, 'a message in parts broke off')
  }

  const take = (channel: string, { id, index, count, data }: Part): void => {
    const continues =
      unfinished?.id === id &&
      unfinished.channel === channel &&
      unfinished.count === count &&
      unfinished.parts === index
    if (!continues) {
      dropUnfinished()
      if (index > 0) return drop(channel, id, 'a part came without the parts before it')
      dropped = undefined
      unfinished = { channel, id, count, parts: 0, bytes: Buffer.alloc(0), length: 0 }
      timer = setTimeout(dropUnfinished, expiry).unref()
    }
    const message = unfinished as Unfinished
    const length = message.length + Buffer.byteLength(data, 'base64')
    if (length > maxBytes) return drop(channel, id, `a message in parts is longer than ${maxBytes} bytes`)
    if (length > message.bytes.length) {
      const larger = Buffer.alloc(Math.min(maxBytes, 2 * length))
      message.bytes.copy(larger, 0, 0, message.length)
      message.bytes = larger
    }
    message.bytes.write(data, message.length, 'base64')
    message.length = length
    message.parts += 1
    if (message.parts < count) return void timer?.refresh()
    forget()
    let whole: string
    try {
      whole = decoder.decode(message.bytes.subarray(0, length))
    } catch {
      return drop(channel, id, 'a message in parts is not UTF-8')
    }
    deliver(channel, whole)
  }

  return (channel, payload) => {
    const part = parsePart(payload)
    if (part !== undefined) return take(channel, part)
    dropUnfinished()
    deliver(channel, unescapePart(payload))
  }
}
