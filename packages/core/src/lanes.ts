/** The most messages of one pack. */
const maxPackMessages = 1_000

/** What {@link Lanes} need to know of a message. */
export interface LaneMessage {
  readonly channel: string
  /** Its length, in bytes. */
  readonly bytes: number
  /** Nobody waits for it any more. */
  readonly settled: boolean
  /** Its place among those of its channel, or 0 where they are not numbered. A pack has no holes. */
  readonly sequence: number
}

/**
 * One lane a channel: while something is under way on it, what follows waits, and then leaves in as few packs as hold it.
 * So a lone message leaves at once, and a busy channel makes its packs larger by itself.
 */
export interface Lanes<Message extends LaneMessage> {
  /** Whether the message may leave now, alone; otherwise it waits here. */
  enter(message: Message): boolean
  /** One message or pack has arrived. Whether the lane is free for what waits on it. */
  arrived(channel: string): boolean
  /** The next pack of a free lane, which is then under way; `undefined` where nothing waits. */
  take(channel: string): [Message, ...Message[]] | undefined
  /** Takes out all that waits, in order on every channel. */
  clear(): Message[]
}

interface Lane<Message> {
  underWay: number
  waiting: Message[]
  head: number
}

/** `envelopeBytes` and a comma between any two messages are counted against `maxBytes`, which only a lone message may exceed. */
export function createLanes<Message extends LaneMessage>(
  maxBytes: number,
  envelopeBytes: number,
): Lanes<Message> {
  const lanes = new Map<string, Lane<Message>>()

  return {
    enter(message) {
      const lane = lanes.get(message.channel)
      if (lane === undefined) lanes.set(message.channel, { underWay: 1, waiting: [], head: 0 })
      else lane.waiting.push(message)
      return lane === undefined
    },
    arrived(channel) {
      const lane = lanes.get(channel)
      if (lane === undefined) return false
      lane.underWay -= 1
      return lane.underWay === 0
    },
    take(channel) {
      const lane = lanes.get(channel)
      if (lane === undefined) return undefined
      let pack: [Message, ...Message[]] | undefined
      let bytes = envelopeBytes
      let sequence = 0
      for (; lane.head < lane.waiting.length; lane.head += 1) {
        const message = lane.waiting[lane.head]
        if (message === undefined || message.settled) continue
        if (pack === undefined) pack = [message]
        else if (
          pack.length < maxPackMessages &&
          bytes + 1 + message.bytes <= maxBytes &&
          (message.sequence === 0 || message.sequence === sequence + 1)
        )
          pack.push(message)
        else break
        sequence = message.sequence
        bytes += message.bytes + (pack.length === 1 ? 0 : 1)
      }
      if (lane.head === lane.waiting.length) {
        lane.waiting = []
        lane.head = 0
      }
      if (pack !== undefined) lane.underWay += 1
      else if (lane.underWay === 0) lanes.delete(channel)
      return pack
    },
    clear() {
      const all = [...lanes.values()].flatMap(({ waiting, head }) => waiting.slice(head))
      lanes.clear()
      return all
    },
  }
}
