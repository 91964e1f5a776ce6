import { isPubSubError } from '@ps/core'
import type { ChannelFeed, ChannelFeeds } from './channel-feeds.js'
import type { EventStream } from './event-stream.js'
import type { ChannelRing, Frame } from './history.js'

/** How long what comes may wait for more, in milliseconds, where something was sent just before. */
const flushInterval = 10
/** What is written at once. Many clients may read a long history at the same time, each with a piece of its own. */
const maxPieceBytes = 16 * 1024

/** Frames that follow each other in a stream, to be written at once. */
export interface Piece {
  readonly bytes: Buffer
  readonly frames: number
  /** The place of the last one. */
  readonly last: number
}

/** The streams that carry the same channels: what they are to send next is put together once for all. */
export interface Audience {
  readonly channels: readonly string[]
  /** What was sent lately on each of them. */
  readonly rings: readonly ChannelRing[]
  /** Resolves when every channel is confirmed; rejects where one never will be. */
  readonly confirmed: Promise<unknown>
  /** The channels that are not. */
  unconfirmed(): readonly string[]
  /** How many frames have come since the first stream, and how long they are. */
  readonly came: { readonly frames: number; readonly bytes: number }
  /** The channels of which it is not certain that everything after a place is here. */
  missing(cursor: number): readonly string[]
  /** What comes after a place, in order; undefined where nothing does. */
  after(cursor: number): Piece | undefined
  /** From now on the stream is told when there is something to send. */
  join(stream: EventStream): void
  leave(stream: EventStream): void
}

export interface Audiences {
  /** The audience of these channels, until `release` is called. */
  hold(channels: readonly string[]): HeldAudience
}

export interface HeldAudience {
  readonly audience: Audience
  /** Idempotent. */
  release(): void
}

interface Entry {
  readonly audience: Audience
  readonly close: () => void
  users: number
}

export interface AudiencesOptions {
  readonly feeds: ChannelFeeds
  /** Everyone who can take it has been given what came, `milliseconds` after the first of it. */
  readonly onFlush: (milliseconds: number) => void
}

export function createAudiences({ feeds, onFlush }: AudiencesOptions): Audiences {
  const entries = new Map<string, Entry>()

  const open = (key: string, channels: readonly string[]): Entry => {
    const held: ChannelFeed[] = []
    const streams = new Set<EventStream>()
    const came = { frames: 0, bytes: 0 }
    const pieces = new Map<number, Piece>()
    let isScheduled = false
    let firstAt = 0
    let flushedAt = 0

    const flush = (): void => {
      isScheduled = false
      for (const stream of streams) stream.advance()
      flushedAt = performance.now()
      onFlush(flushedAt - firstAt)
    }
    const onFrame = (length: number): void => {
      if (length > 0) came.frames += 1
      came.bytes += length
      if (isScheduled || streams.size === 0) return
      isScheduled = true
      firstAt = performance.now()
      const wait = flushedAt + flushInterval - firstAt
      if (wait > 0) setTimeout(flush, wait)
      else setImmediate(flush)
    }
    const close = (): void => {
      for (const feed of held.splice(0)) feed.release(onFrame)
    }

    for (const channel of channels) {
      const feed = feeds.feed(channel)
      feed.watch(onFrame)
      held.push(feed)
    }
    const confirmed = Promise.all(held.map((feed) => feed.confirmed))
    confirmed.catch((error: unknown) => {
      const reason = isPubSubError(error, 'closed') ? 'shutdown' : 'refused'
      // Not for those who come now: they shall see for themselves.
      if (entries.get(key) === entry) entries.delete(key)
      for (const stream of streams) stream.end(reason)
    })

    const compose = (cursor: number): Piece | undefined => {
      const next: { readonly feed: ChannelFeed; frame: Frame }[] = []
      for (const feed of held) {
        const frame = feed.ring.next(cursor)
        if (frame !== undefined) next.push({ feed, frame })
      }
      const parts: Buffer[] = []
      let length = 0
      let last = cursor
      for (;;) {
        let first = next[0]
        for (const each of next)
          if (first !== undefined && each.frame.sequence < first.frame.sequence) first = each
        if (first === undefined) break
        const { bytes, sequence } = first.frame
        if (parts.length > 0 && length + bytes.length > maxPieceBytes) break
        parts.push(bytes)
        length += bytes.length
        last = sequence
        const following = first.feed.ring.next(sequence)
        if (following === undefined) next.splice(next.indexOf(first), 1)
        else first.frame = following
      }
      const [only] = parts
      if (only === undefined) return undefined
      return { bytes: parts.length === 1 ? only : Buffer.concat(parts, length), frames: parts.length, last }
    }

    const audience: Audience = {
      channels,
      rings: held.map(({ ring }) => ring),
      confirmed,
      unconfirmed: () => held.filter(({ isConfirmed }) => !isConfirmed()).map(({ channel }) => channel),
      came,
      missing: (cursor) =>
        held
          .filter(({ ring, isConfirmed }) => !isConfirmed() || !ring.isWhole(cursor))
          .map(({ channel }) => channel),
      after(cursor) {
        const known = pieces.get(cursor)
        if (known !== undefined) return known
        const piece = compose(cursor)
        if (piece === undefined) return undefined
        // For those who are at the same place in this turn: kept for longer, pieces would add up.
        if (pieces.size === 0) setImmediate(() => pieces.clear())
        pieces.set(cursor, piece)
        return piece
      },
      join: (stream) => void streams.add(stream),
      leave: (stream) => void streams.delete(stream),
    }
    const entry: Entry = { audience, close, users: 0 }
    return entry
  }

  return {
    hold(channels) {
      const key = JSON.stringify([...channels].toSorted())
      const entry = entries.get(key) ?? open(key, channels)
      entries.set(key, entry)
      entry.users += 1
      let isHeld = true
      return {
        audience: entry.audience,
        release() {
          if (!isHeld) return
          isHeld = false
          entry.users -= 1
          if (entry.users > 0) return
          if (entries.get(key) === entry) entries.delete(key)
          entry.close()
        },
      }
    },
  }
}
