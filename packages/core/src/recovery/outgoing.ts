/** The bytes of published messages that are kept to be sent again where nothing else is said: 8 MiB. */
export const maxKeptBytes = 8 * 1024 * 1024

/** What each message kept costs beside its text, in bytes: its place in two lists. */
const placeBytes = 64
/** The most channels that are remembered when nothing of them is kept any more. */
const maxIdleChannels = 10_000

/** What this client has published on one channel. */
export interface OutgoingChannel {
  readonly name: string
  /** The sequence before its first message. */
  readonly start: number
  /** When that was, in milliseconds since 1970. */
  readonly began: number
  /** The sequence given last. */
  readonly last: number
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
  /** The channel, whose `last` is then the sequence of the next message. */
  number(channel: string): OutgoingChannel
  /**
   * The next message of the channel is decided: accepted, with its text, or withdrawn. To be called in the order of the
   * sequences.
   */
  decide(channel: OutgoingChannel, text: string | undefined): void
  /** The sequence of the oldest message of the channel that is kept, or of the next to be decided. */
  oldest(channel: OutgoingChannel): number
  /** The text of a message that is kept; `undefined` where it was withdrawn. */
  find(channel: OutgoingChannel, sequence: number): string | undefined
  /** What has been published on a channel, if it is remembered. */
  get(channel: string): OutgoingChannel | undefined
}

/** Every {@link OutgoingChannel} is one. */
interface Kept extends OutgoingChannel {
  last: number
  decided: number
  /** The texts of the sequences up to `decided`, the oldest first; `undefined` is a withdrawn one. */
  texts: (string | undefined)[]
  /** Where the oldest that is kept stands in `texts`. */
  head: number
}

export function createOutgoing(publisher: string, maxBytes: number): Outgoing {
  const channels = new Map<string, Kept>()
  // The channel of each message kept, the oldest first.
  let order: (Kept | undefined)[] = []
  let orderHead = 0
  let bytes = 0
  // Sequences of a channel that was dropped are never given again.
  let floor = 0

  const isFull = (): boolean => bytes > maxBytes

  const sizeOf = (text: string | undefined): number => (text?.length ?? 0) + placeBytes

  const dropOldest = (): void => {
    const channel = order[orderHead]
    if (channel === undefined) return
    order[orderHead] = undefined
    orderHead += 1
    if (orderHead > 1_024 && orderHead * 2 > order.length) {
      order = order.slice(orderHead)
      orderHead = 0
    }
    bytes -= sizeOf(channel.texts[channel.head])
    channel.texts[channel.head] = undefined
    channel.head += 1
    if (channel.head === channel.texts.length) {
      channel.texts = []
      channel.head = 0
      if (channels.size > maxIdleChannels && channel.decided === channel.last) drop(channel)
    } else if (channel.head > 256 && channel.head * 2 > channel.texts.length) {
      channel.texts = channel.texts.slice(channel.head)
      channel.head = 0
    }
  }

  const drop = (channel: Kept): void => {
    channels.delete(channel.name)
    floor = Math.max(floor, channel.last)
  }

  const open = (name: string): Kept => {
    const known = channels.get(name)
    if (known !== undefined) return known
    const opened: Kept = {
      name,
      start: floor,
      began: Date.now(),
      last: floor,
      decided: floor,
      texts: [],
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
      return bytes
    },
    number(name) {
      const channel = open(name)
      channel.last += 1
      return channel
    },
    decide(channel, text) {
      const kept = channel as Kept
      kept.decided += 1
      kept.texts.push(text)
      order.push(kept)
      bytes += sizeOf(text)
      while (isFull()) dropOldest()
    },
    oldest(channel) {
      const { texts, head, decided } = channel as Kept
      return decided - (texts.length - head) + 1
    },
    find(channel, sequence) {
      const { texts, decided } = channel as Kept
      return texts[texts.length - 1 - (decided - sequence)]
    },
    get: (name) => channels.get(name),
  }
}
