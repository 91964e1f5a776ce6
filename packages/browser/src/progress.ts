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
  let epoch = placeOf(lastEventId)?.epoch
  let known = new Set(lastEventId === undefined ? [] : first)
  let begun = new Set<string>()
  const delivered = new Map<string, number>()

  return {
    get lastEventId() {
      return place
    },
    begin(channels, asked, head) {
      place = asked ?? head
      const start = placeOf(head)
      if (start?.epoch !== epoch) delivered.clear()
      epoch = start?.epoch
      begun = new Set(channels.filter((channel) => !known.has(channel)))
      known = new Set(channels)
      for (const channel of delivered.keys()) if (!known.has(channel)) delivered.delete(channel)
      for (const channel of begun) if (start !== undefined) delivered.set(channel, start.sequence)
    },
    take(channel, id, isGap) {
      const at = placeOf(id)
      if (at === undefined) return !(isGap && begun.has(channel))
      place = id
      // While one stream follows another, some events arrive on both.
      if (at.sequence <= (delivered.get(channel) ?? -1)) return false
      delivered.set(channel, at.sequence)
      return true
    },
  }
}

function placeOf(id: string | undefined): { epoch: string; sequence: number } | undefined {
  const [, epoch, digits] = /^(.+)\.(\d+)$/.exec(id ?? '') ?? []
  return epoch === undefined ? undefined : { epoch, sequence: Number(digits) }
}
