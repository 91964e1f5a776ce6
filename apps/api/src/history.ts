import { randomBytes } from 'node:crypto'
import { eventText, gapFrame } from './event-frame.js'
import { createFrameBlocks } from './frame-blocks.js'

/** A frame as it leaves, and its place in the one order of all frames of this process. */
export interface Frame {
  readonly sequence: number
  readonly bytes: Buffer
}

/** What a frame takes beyond its bytes: the objects around them. Without it, short messages would take twice the bound. */
export const frameOverhead = 200

/** What came after a place. */
export interface Backlog {
  readonly frames: number
  readonly bytes: number
  /** The place of the first of it; undefined where nothing came. */
  readonly first: number | undefined
}

const nothingCame: Backlog = { frames: 0, bytes: 0, first: undefined }

/** Tells what came after places, as long as no frame comes: what it takes to look at is looked at once for many places. */
export type Survey = (cursor: number) => Backlog

/** The latest frames of one channel, and from which place on none is missing. */
export interface ChannelRing {
  /** From now on nothing will be missing; what came before cannot be told. Until the first one there is no gap either. */
  restart(): void
  /** Adds a frame, and gives its length. Without `event` it is a message. */
  add(data: unknown, event?: string): number
  /** Whether everything is here that came after a place. */
  isWhole(cursor: number): boolean
  /** What comes after a place: the next frame, or where frames before it are not here, a gap. */
  next(cursor: number): Frame | undefined
  survey(): Survey
  /** Forgets everything. */
  close(): void
}

/**
 * What was sent lately, to be sent again to clients that come back. There is one sequence over all channels, so that one
 * id is a place in a stream of many; an epoch of its own for each process, since no two count alike.
 */
export interface History {
  /** The last place. */
  readonly head: number
  /** What is kept: frames, and what they take of the bound. */
  readonly frames: number
  readonly bytes: number
  idOf(sequence: number): string
  /** The place that an id stands for; undefined where it is none of ours. */
  cursorOf(id: string): number | undefined
  openRing(channel: string): ChannelRing
}

export interface HistoryOptions {
  /** Default: 10,000 frames a channel. */
  readonly maxFrames?: number | undefined
  /** Default: 16 MiB a channel. */
  readonly maxChannelBytes?: number | undefined
  /** Default: 256 MiB over all channels, of which the oldest frames go first. */
  readonly maxBytes?: number | undefined
}

interface Oldest {
  oldest(): number
  evict(upTo: number): void
}

export function createHistory({
  maxFrames = 10_000,
  maxChannelBytes = 16 * 1024 ** 2,
  maxBytes = 256 * 1024 ** 2,
}: HistoryOptions = {}): History {
  const epoch = randomBytes(6).toString('base64url')
  const rings = new Set<Oldest>()
  let head = 0
  let frames = 0
  let bytes = 0

  const idOf = (sequence: number): string => `${epoch}.${sequence}`

  const isFull = (): boolean => bytes > maxBytes

  /** By a sixteenth of the time at once: looking for the oldest of all channels at every frame would be slow. */
  const evictOldest = (): void => {
    let oldest = Number.POSITIVE_INFINITY
    for (const ring of rings) oldest = Math.min(oldest, ring.oldest())
    const upTo = oldest + Math.floor((head - oldest) / 16)
    for (const ring of rings) ring.evict(upTo)
  }

  const openRing = (channel: string): ChannelRing => {
    const blocks = createFrameBlocks()
    let kept: (Frame | undefined)[] = []
    let first = 0
    let keptBytes = 0
    let floor = 0
    let why = ''

    const sequenceAt = (index: number): number => kept[index]?.sequence ?? Number.POSITIVE_INFINITY

    const isChannelFull = (): boolean => {
      const count = kept.length - first
      return count > maxFrames || (count > 1 && keptBytes > maxChannelBytes)
    }

    const evictFirst = (): void => {
      const frame = kept[first]
      if (frame === undefined) return
      kept[first] = undefined
      first += 1
      floor = frame.sequence
      why = 'what came before is no longer kept'
      const size = frame.bytes.length + frameOverhead
      frames -= 1
      keptBytes -= size
      bytes -= size
      if (first > 1_024 && first * 2 > kept.length) {
        kept = kept.slice(first)
        first = 0
      }
    }

    const clear = (): void => {
      frames -= kept.length - first
      bytes -= keptBytes
      kept = []
      first = 0
      keptBytes = 0
      blocks.clear()
    }

    const restart = (): void => {
      clear()
      // A place of its own: whoever was told the one before has not heard what was published until now.
      head += 1
      floor = head
      why = 'the channel was not listened to before'
    }

    const indexAfter = (cursor: number): number => {
      let low = first
      let high = kept.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (sequenceAt(middle) > cursor) high = middle
        else low = middle + 1
      }
      return low
    }

    /** How many bytes there are from each frame to the end. */
    const bytesToEnd = (): number[] => {
      const sums = [0]
      for (let index = kept.length - 1; index >= first; index -= 1)
        sums.push((sums.at(-1) ?? 0) + (kept[index]?.bytes.length ?? 0))
      return sums
    }

    const eviction: Oldest = {
      oldest: () => sequenceAt(first),
      evict(upTo) {
        while (sequenceAt(first) <= upTo) evictFirst()
      },
    }
    rings.add(eviction)

    return {
      restart,
      add(data, event) {
        head += 1
        const frame: Frame = {
          sequence: head,
          bytes: blocks.write(eventText(data, { id: idOf(head), event }), keptBytes),
        }
        const size = frame.bytes.length + frameOverhead
        kept.push(frame)
        frames += 1
        keptBytes += size
        bytes += size
        while (isChannelFull()) evictFirst()
        while (isFull()) evictOldest()
        return frame.bytes.length
      },
      isWhole: (cursor) => cursor >= floor,
      next(cursor) {
        if (cursor < floor) return { sequence: floor, bytes: gapFrame(channel, why, idOf(floor)) }
        // Most who ask have heard all but the last.
        if (kept.length > first && sequenceAt(kept.length - 1) <= cursor) return undefined
        return kept[indexAfter(cursor)]
      },
      survey() {
        let sums: number[] | undefined
        return (cursor) => {
          if (kept.length === first || sequenceAt(kept.length - 1) <= cursor) return nothingCame
          const index = indexAfter(cursor)
          const count = kept.length - index
          sums ??= bytesToEnd()
          return { frames: count, bytes: sums[count] ?? 0, first: sequenceAt(index) }
        }
      },
      close() {
        clear()
        rings.delete(eviction)
      },
    }
  }

  return {
    get head() {
      return head
    },
    get frames() {
      return frames
    },
    get bytes() {
      return bytes
    },
    idOf,
    cursorOf(id) {
      const [, of, digits] = /^([\w-]+)\.(\d{1,15})$/.exec(id) ?? []
      const sequence = Number(digits)
      return of === epoch && sequence <= head ? sequence : undefined
    },
    openRing,
  }
}
