import { inPieces, type Range, type Refusal, type Request } from './control-message.js'
import type { Outgoing } from './outgoing.js'

/** How much may be sent again in a second, in characters; as much may come at once. */
const charactersPerSecond = 8 * 1024 * 1024
/** What was sent again is not sent again for so long, in milliseconds: several listeners ask for the same. */
const pauseMilliseconds = 400

export interface ResendingOptions {
  readonly outgoing: Outgoing
  /** Publishes once more, over the broker of that name if it is up. */
  readonly publish: (channel: string, payload: string, over: string) => void
  readonly refuse: (refusal: Refusal) => void
}

/** Sends again what listeners miss, as far as it is kept and within a rate. */
export interface Resending {
  /** Counted since the client was created: messages sent again, and asked for when they were no longer kept. */
  readonly resent: number
  readonly forgotten: number
  handle(request: Request): void
}

export function createResending({ outgoing, publish, refuse }: ResendingOptions): Resending {
  let resent = 0
  let forgotten = 0
  let allowance = charactersPerSecond
  let refilled = performance.now()
  // When which message was sent again over which broker.
  let recent = new Map<string, number>()

  const isAllowed = (size: number, now: number): boolean => {
    allowance = Math.min(charactersPerSecond, allowance + ((now - refilled) / 1_000) * charactersPerSecond)
    refilled = now
    // One that is longer than all that is allowed at once is owed afterwards: else it would hold up those behind it.
    if (allowance < Math.min(size, charactersPerSecond)) return false
    allowance -= size
    return true
  }

  return {
    get resent() {
      return resent
    },
    get forgotten() {
      return forgotten
    },
    handle({ missing, over }) {
      const now = performance.now()
      for (const [key, at] of recent) {
        if (now - at < pauseMilliseconds) break
        recent.delete(key)
      }
      const withdrawn: Range[] = []
      const lost: Range[] = []
      for (const [name, from, to] of missing) {
        const channel = outgoing.get(name)
        if (channel === undefined) {
          // It was dropped when nothing of it was kept any more.
          lost.push([name, from, to])
          forgotten += to - from + 1
          continue
        }
        // All before what is kept at once, because a range may be as long as anybody likes.
        const oldest = outgoing.oldest(channel)
        if (from <= channel.start) withdrawn.push([name, from, Math.min(to, channel.start)])
        const lostFrom = Math.max(from, channel.start + 1)
        const lostTo = Math.min(to, oldest - 1)
        if (lostFrom <= lostTo) {
          lost.push([name, lostFrom, lostTo])
          forgotten += lostTo - lostFrom + 1
        }
        for (
          let sequence = Math.max(from, oldest);
          sequence <= Math.min(to, channel.decided);
          sequence += 1
        ) {
          const found = outgoing.find(channel, sequence)
          if (found === 'withdrawn') {
            extend(withdrawn, name, sequence)
            continue
          }
          if (found === 'forgotten') {
            extend(lost, name, sequence)
            forgotten += 1
            continue
          }
          const { text } = found
          const key = `${over} ${sequence} ${name}`
          if (recent.has(key)) continue
          // Whoever misses it asks again.
          if (!isAllowed(text.length, now)) break
          recent.set(key, now)
          resent += 1
          publish(name, outgoing.withOrigin(channel, sequence, text), over)
        }
      }
      const { publisher } = outgoing
      for (const piece of inPieces(withdrawn))
        refuse({ kind: 'gone', publisher, withdrawn: piece, forgotten: [] })
      for (const piece of inPieces(lost)) refuse({ kind: 'gone', publisher, withdrawn: [], forgotten: piece })
    },
  }
}

/** Adds one sequence, to the last range where it follows that. */
function extend(ranges: Range[], name: string, sequence: number): void {
  const last = ranges.at(-1)
  if (last !== undefined && last[0] === name && last[2] === sequence - 1)
    ranges.splice(-1, 1, [name, last[1], sequence])
  else ranges.push([name, sequence, sequence])
}
