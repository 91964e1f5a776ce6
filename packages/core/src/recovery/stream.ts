/** How often what is missing is looked at, in milliseconds. */
export const tickMilliseconds = 100
/** After how many ticks without progress what is missing is asked for, and how many later again. */
const ticksBetweenRequests = 5
/** After how many ticks without progress it is given up: 2 s. */
const ticksToGiveUp = 20
/** The most ranges of one stream in one request. */
const maxRanges = 50

/** What several streams share. */
export interface StreamOptions {
  /** Hands on a message, or a pack without its first `skip` messages. */
  readonly deliver: (text: string, skip: number) => void
  /** Tells that messages will not come, in their place; `missed` where it is known how many. */
  readonly gap: (missed: number | undefined) => void
  /** Whether `bytes` more may be held back; counted until they are given back by a negative number. */
  readonly hold: (bytes: number) => boolean
}

/**
 * The messages of one publisher on one channel, each handed on once and in order. What comes early is held back until what
 * is missing has come, is known never to come, or has been waited for in vain.
 */
export interface Stream {
  /** Whether something is missing, or it is not known where the stream begins. */
  readonly isStuck: boolean
  /** Whether it is not known yet which of its messages concern this client. */
  readonly isOpen: boolean
  /** Whether a heartbeat after the last interruption covers all that was handed on, and nothing is missing. */
  readonly isCertain: boolean
  /** What is held back. */
  readonly held: number
  /** A message or pack arrived. Returns how many of its messages had been there before. */
  receive(sequence: number, count: number, text: string): number
  /** The publisher says how far it is. */
  announce(last: number): void
  /** The first message that concerns this client is the one after `sequence`. */
  begin(sequence: number): void
  /** Messages that will not come; `isMissed` where they were accepted. */
  gone(from: number, to: number, isMissed: boolean): void
  /** There was an interruption. */
  doubt(): void
  /** Somebody else has asked for these. */
  overheard(from: number, to: number): void
  /** To be called on every tick while it is stuck. Whether it is time to ask for what is missing. */
  tick(): boolean
  /** What is missing, as ranges of sequences, both ends included. */
  missing(): [from: number, to: number][]
  /** Goes on without what is missing, and tells the gap. Where nothing was heard, it goes on behind `last`. */
  giveUp(last?: number): void
  /** Lets go of what is held. */
  close(): void
}

interface Held {
  readonly sequence: number
  readonly end: number
  readonly text: string
  readonly since: number
}

interface Gone {
  readonly from: number
  readonly to: number
  readonly isMissed: boolean
}

/** `first`: the sequence that is expected first, if that is known. */
export function createStream({ deliver, gap, hold }: StreamOptions, first: number | undefined): Stream {
  let next = first
  let known = (first ?? 1) - 1
  let confirmed: number | undefined
  // Nothing has been handed on: an earlier message than the expected one may still be under way.
  let isFresh = true
  // In the order of their sequences, from `heldHead` on.
  let held: Held[] = []
  let heldHead = 0
  let gone: Gone[] = []
  let ticks = 0
  let stuckTicks = 0
  let ticksSinceRequest = ticksBetweenRequests
  let nextAtTick = first

  const take = (): Held | undefined => {
    const item = held[heldHead]
    if (item === undefined) return undefined
    heldHead += 1
    hold(-item.text.length)
    if (heldHead === held.length || heldHead > 1_024) {
      held = held.slice(heldHead)
      heldHead = 0
    }
    return item
  }

  const keep = (item: Held): void => {
    const last = held.at(-1)
    if (last === undefined || item.sequence > last.sequence) {
      held.push(item)
    } else {
      held = held.slice(heldHead)
      heldHead = 0
      const index = held.findIndex(({ sequence }) => sequence >= item.sequence)
      const same = held[index]
      if (same !== undefined && same.sequence === item.sequence && same.end >= item.end) return
      held.splice(index, 0, item)
    }
    if (!hold(item.text.length)) giveUp()
  }

  /** Hands on all that can be from `position` on. */
  const advance = (position: number): void => {
    let missed = 0
    const tellMissed = (): void => {
      if (missed > 0) gap(missed)
      missed = 0
    }
    for (;;) {
      const item = held[heldHead]
      if (item !== undefined && item.sequence <= position) {
        take()
        if (item.end <= position) continue
        const skip = position - item.sequence
        position = item.end
        next = position
        isFresh = false
        tellMissed()
        deliver(item.text, skip)
        continue
      }
      const range = goneAt(position)
      if (range === undefined) break
      const until = item === undefined ? range.to : Math.min(range.to, item.sequence - 1)
      if (range.isMissed) missed += until - position + 1
      position = until + 1
    }
    next = position
    known = Math.max(known, position - 1)
    tellMissed()
    if (gone.length > 0) gone = gone.filter(({ to }) => to >= position)
  }

  const goneAt = (position: number): Gone | undefined =>
    gone.find(({ from, to }) => from <= position && position <= to)

  const skipHole = (last = 0): void => {
    const to = held[heldHead]?.sequence ?? Math.max(known, last) + 1
    gap(next === undefined ? undefined : to - next)
    advance(to)
  }

  const isStuck = (): boolean => next === undefined || known >= next

  const giveUp = (last?: number): void => {
    if (!isStuck()) return
    skipHole(last)
    // What was held behind a further hole has waited as long.
    for (;;) {
      const item = held[heldHead]
      if (item === undefined || ticks - item.since < ticksToGiveUp) break
      skipHole()
    }
    stuckTicks = 0
  }

  return {
    get isStuck() {
      return isStuck()
    },
    get isOpen() {
      return next === undefined
    },
    get isCertain() {
      return next !== undefined && known < next && confirmed !== undefined && confirmed >= known
    },
    get held() {
      return held.length - heldHead
    },
    receive(sequence, count, text) {
      const end = sequence + count
      if (end - 1 > known) known = end - 1
      if (next !== undefined) {
        if (isFresh && sequence < next) next = sequence
        if (sequence <= next) {
          const skip = Math.min(next - sequence, count)
          if (skip < count) {
            next = end
            isFresh = false
            deliver(text, skip)
            if (held.length > 0 || gone.length > 0) advance(end)
          }
          return skip
        }
      }
      keep({ sequence, end, text, since: ticks })
      return 0
    },
    announce(last) {
      confirmed = last
      if (last > known) known = last
    },
    begin(sequence) {
      if (next !== undefined) return
      isFresh = false
      advance(sequence + 1)
    },
    gone(from, to, isMissed) {
      if (next !== undefined && to < next) return
      gone.push({ from, to, isMissed })
      if (next !== undefined) advance(next)
    },
    doubt() {
      confirmed = undefined
    },
    overheard(from, to) {
      if (next !== undefined && from <= next && next <= to) ticksSinceRequest = 0
    },
    tick() {
      ticks += 1
      if (next !== nextAtTick) {
        nextAtTick = next
        stuckTicks = 0
        ticksSinceRequest = ticksBetweenRequests
        return false
      }
      stuckTicks += 1
      if (stuckTicks >= ticksToGiveUp) {
        giveUp()
        return false
      }
      ticksSinceRequest += 1
      if (ticksSinceRequest < ticksBetweenRequests) return false
      ticksSinceRequest = 0
      return true
    },
    missing() {
      const ranges: [from: number, to: number][] = []
      if (next === undefined) return ranges
      let from = next
      for (const { sequence, end } of held.slice(heldHead)) {
        if (ranges.length === maxRanges) return ranges
        if (sequence > from) ranges.push([from, sequence - 1])
        from = Math.max(from, end)
      }
      if (from <= known) ranges.push([from, known])
      return ranges
    },
    giveUp,
    close() {
      while (take() !== undefined);
    },
  }
}
