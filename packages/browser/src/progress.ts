/** How far a connection is on each channel, over all its streams. */
export interface Progress {
  /** Where the next stream is to go on. */
  readonly lastEventId: string | undefined
  /** A stream is live that was asked to go on behind `asked`; `head` is the server's last id. */
  begin(channels: readonly string[], asked: string | undefined, head: string | undefined): void
  /** Whether an event is to be delivered: it is new, and a channel that has only begun has no gap behind it. */
  take(channel: string, id: string | undefined, isGap: boolean): boolean
}

/** `first`: with a `lastEventId` of an earlier connection these channels do not begin, but go on. */
export function createProgress(lastEventId: string | undefined, first: readonly string[]): Progress {
  let place = lastEventId
  let known = new Set(lastEventId === undefined ? [] : first)
  let begun = new Set<string>()
  const delivered = new Map<string, Place>()

  return {
    get lastEventId() {
      return place
    },
    begin(channels, asked, head) {
      place = asked ?? head
      const start = placeOf(head)
      begun = new Set(channels.filter((channel) => !known.has(channel)))
      known = new Set(channels)
      for (const channel of delivered.keys()) if (!known.has(channel)) delivered.delete(channel)
      for (const channel of begun) if (start !== undefined) delivered.set(channel, start)
    },
    take(channel, id, isGap) {
      const at = placeOf(id)
      if (at === undefined) return !(isGap && begun.has(channel))
      place = id
      // While one stream follows another, some events arrive on both. Each process counts for itself.
      const last = delivered.get(channel)
      if (last?.epoch === at.epoch && at.sequence <= last.sequence) return false
      delivered.set(channel, at)
      return true
    },
  }
}

interface Place {
  readonly epoch: string
  readonly sequence: number
}

function placeOf(id: string | undefined): Place | undefined {
  const [, epoch, digits] = /^(.+)\.(\d+)$/.exec(id ?? '') ?? []
  return epoch === undefined ? undefined : { epoch, sequence: Number(digits) }
}
