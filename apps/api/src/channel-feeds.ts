import type { Client } from '@ps/core'
import type { ChannelRing, History } from './history.js'

/** The most channels that are listened to for nobody. */
const maxLingering = 10_000

/** One channel as all its watchers in this process see it: listened to once, every message made a frame once. */
export interface ChannelFeed {
  readonly channel: string
  readonly ring: ChannelRing
  /** Resolves when what is published from then on arrives; rejects where it never will. */
  readonly confirmed: Promise<void>
  isConfirmed(): boolean
  /** `onFrame` is called with the length of each frame once it is in the ring. */
  watch(onFrame: (length: number) => void): void
  /** To be called once by everyone who has asked for the feed. */
  release(onFrame: (length: number) => void): void
}

export interface ChannelFeeds {
  readonly count: number
  /** The feed of a channel; the first to ask makes us listen. */
  feed(channel: string): ChannelFeed
}

export interface ChannelFeedsOptions {
  readonly client: Pick<Client, 'listen'>
  readonly history: History
  /** How long a channel that nobody watches is listened to, in milliseconds: else there would be a hole when they come back. */
  readonly linger: number
}

interface Entry {
  readonly feed: ChannelFeed
  users: number
  timer?: NodeJS.Timeout
}

export function createChannelFeeds({ client, history, linger }: ChannelFeedsOptions): ChannelFeeds {
  const entries = new Map<string, Entry>()
  // What lets go of each channel that nobody watches, the one that was left first in front.
  const lingering = new Map<string, () => void>()

  const open = (channel: string): ChannelFeed => {
    const watchers = new Set<(length: number) => void>()
    const ring = history.openRing(channel)
    const stop = new AbortController()
    let isConfirmed = false
    const tell = (length: number): void => {
      for (const watcher of watchers) watcher(length)
    }
    const forget = (): void => {
      if (entries.get(channel)?.feed === feed) entries.delete(channel)
      ring.close()
    }
    const letGo = (): void => {
      clearTimeout(entries.get(channel)?.timer)
      lingering.delete(channel)
      stop.abort()
      forget()
    }
    const tellGap = (reason: string, missed?: number): void =>
      tell(ring.add({ channel, reason, ...(missed !== undefined && { missed }) }, 'ps.gap'))
    const hear = (message: unknown): void => {
      let length: number
      try {
        length = ring.add({ channel, message })
      } catch (error) {
        // JSON is read to any depth, and written to some thousand levels only.
        tellGap('a message cannot be sent on', 1)
        throw error
      }
      tell(length)
    }
    const confirmed = client
      .listen(channel, hear, {
        signal: stop.signal,
        onGap: ({ reason, missed }) => tellGap(reason, missed),
      })
      .then(
        () => {
          isConfirmed = true
          // Who watched before finds a gap.
          ring.restart()
          tell(0)
        },
        (error: unknown) => {
          // The next one to ask tries again.
          forget()
          throw error
        },
      )
    // Whoever still wants it looks for itself.
    confirmed.catch(() => {})
    const feed: ChannelFeed = {
      channel,
      ring,
      confirmed,
      isConfirmed: () => isConfirmed,
      watch: (onFrame) => void watchers.add(onFrame),
      release(onFrame) {
        watchers.delete(onFrame)
        const entry = entries.get(channel)
        if (entry?.feed !== feed) return
        entry.users -= 1
        if (entry.users > 0) return
        entry.timer = setTimeout(letGo, linger).unref()
        lingering.set(channel, letGo)
        if (lingering.size > maxLingering) lingering.values().next().value?.()
      },
    }
    return feed
  }

  return {
    get count() {
      return entries.size
    },
    feed(channel) {
      const entry = entries.get(channel) ?? { feed: open(channel), users: 0 }
      clearTimeout(entry.timer)
      lingering.delete(channel)
      entry.users += 1
      entries.set(channel, entry)
      return entry.feed
    },
  }
}
