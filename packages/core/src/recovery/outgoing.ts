import { createTextRing, type TextRing } from './text-ring.js'
import { originHead, withOrigin } from './with-origin.js'

/** The most channels that are remembered when nothing of them is kept any more. */
const maxIdleChannels = 10_000

/** What this client has published on one channel. */
export interface OutgoingChannel {
  readonly name: string
  /** The sequence before its first message. */
  readonly start: number
  /** When that was, in milliseconds of `performance.now()`. */
  readonly began: number
  /** The sequence given last, and when, in milliseconds of `performance.now()`. */
  readonly last: number
  readonly used: number
  /** Up to here it is decided which messages are accepted. */
  readonly decided: number
}

/** Numbers what this client publishes, a channel, and keeps the latest of it in a bounded number of bytes. */
export interface Outgoing {
  /** The id under which it publishes. */
  readonly publisher: string
  /** What is kept now. */
  readonly messages: number
  readonly bytes: number
  /** The channel, whose `last` is then the sequence of the next message; `now` in milliseconds of `performance.now()`. */
  number(channel: string, now: number): OutgoingChannel
  /**
   * The next message of the channel is decided: accepted, with its text of so many bytes, or withdrawn. To be called in the
   * order of the sequences.
   */
  decide(channel: OutgoingChannel, text: string | undefined, bytes: number): void
  /** The sequence of the oldest message of the channel that is kept, or of the next to be decided. */
  oldest(channel: OutgoingChannel): number
  /** The text of a message, from the oldest kept to the last decided; or why there is none. */
  find(channel: OutgoingChannel, sequence: number): { readonly text: string } | 'withdrawn' | 'forgotten'
  /** The payload of a message, or of a pack of `count` that begins with it. */
  withOrigin(channel: OutgoingChannel, sequence: number, text: string, count?: number): string
  /** What has been published on a channel, if it is remembered. */
  get(channel: string): OutgoingChannel | undefined
}

/** Instead of a place. */
const tooLong = -1
const withdrawn = -2

/** Every {@link OutgoingChannel} is one. */
interface Kept extends OutgoingChannel {
  last: number
  used: number
  decided: number
  /** Where the texts of the sequences up to `decided` are, the oldest first. */
  places: number[]
  /** Where the oldest that is kept stands in `places`. */
  head: number
}

export function createOutgoing(publisher: string, maxBytes: number): Outgoing {
  const head = originHead(publisher)
  const channels = new Map<string, Kept>()
  // Most messages are of the same channel as the last.
  let latest: Kept | undefined
  // The channel of each message kept, the oldest first.
  let order: (Kept | undefined)[] = []
  let orderHead = 0
  let ring: TextRing | undefined
  // Sequences of a channel that was dropped are never given again.
  let floor = 0

  const forgetOldest = (): void => {
    const channel = order[orderHead]
    if (channel === undefined) return
    order[orderHead] = undefined
    orderHead += 1
    if (orderHead > 1_024 && orderHead * 2 > order.length) {
      order = order.slice(orderHead)
      orderHead = 0
    }
    channel.head += 1
    if (channel.head === channel.places.length) {
      channel.places = []
      channel.head = 0
      if (channels.size > maxIdleChannels && channel.decided === channel.last) drop(channel)
    } else if (channel.head > 256 && channel.head * 2 > channel.places.length) {
      channel.places = channel.places.slice(channel.head)
      channel.head = 0
    }
  }

  const drop = (channel: Kept): void => {
    channels.delete(channel.name)
    if (latest === channel) latest = undefined
    floor = Math.max(floor, channel.last)
  }

  const open = (name: string, now: number): Kept => {
    const known = channels.get(name)
    if (known !== undefined) return known
    const opened: Kept = {
      name,
      start: floor,
      began: now,
      last: floor,
      used: now,
      decided: floor,
      places: [],
      head: 0,
    }
    channels.set(name, opened)
    return opened
  }

  return {
    publisher,
    get messages() {
      return order.length - orderHead
    },
    get bytes() {
      return ring?.bytes ?? 0
    },
    number(name, now) {
      const channel = latest?.name === name ? latest : open(name, now)
      latest = channel
      channel.last += 1
      channel.used = now
      return channel
    },
    decide(channel, text, bytes) {
      const kept = channel as Kept
      ring ??= createTextRing(maxBytes, forgetOldest)
      kept.decided += 1
      // Before it has a place, because older ones may have to leave theirs.
      const place = text === undefined ? withdrawn : ring.add(text, bytes)
      if (text === undefined) ring.skip()
      kept.places.push(place)
      order.push(kept)
    },
    oldest(channel) {
      const { places, head, decided } = channel as Kept
      return decided - (places.length - head) + 1
    },
    find(channel, sequence) {
      const { places, decided } = channel as Kept
      const place = places[places.length - 1 - (decided - sequence)]
      if (place === withdrawn) return 'withdrawn'
      if (place === undefined || place === tooLong || ring === undefined) return 'forgotten'
      return { text: ring.get(place) }
    },
    withOrigin: (channel, sequence, text, count) =>
      withOrigin(head, sequence, sequence === channel.start + 1, text, count),
    get: (name) => channels.get(name),
  }
}
