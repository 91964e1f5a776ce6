import type { Client, Subscription } from '@ps/core'
import { eventFrame } from './event-stream.js'

/** One channel as all its watchers in this process see it: listened to once, every message made a frame once. */
export interface ChannelFeed {
  readonly channel: string
  /** Resolves when what is published from then on arrives; rejects where it never will. */
  readonly confirmed: Promise<void>
  isConfirmed(): boolean
  watch(onFrame: (frame: Buffer) => void): void
  /** To be called once by everyone who asked for the feed. */
  release(onFrame: (frame: Buffer) => void): void
}

export interface ChannelFeeds {
  /** The feed of a channel; the first to ask makes us listen. */
  feed(channel: string): ChannelFeed
}

export const gapFrame = (channel: string, reason: string, missed?: number): Buffer =>
  eventFrame({ channel, reason, ...(missed !== undefined && { missed }) }, 'ps.gap')

export function createChannelFeeds(client: Pick<Client, 'listen'>): ChannelFeeds {
  const feeds = new Map<string, { readonly feed: ChannelFeed; users: number }>()

  const open = (channel: string): ChannelFeed => {
    const watchers = new Set<(frame: Buffer) => void>()
    const stop = new AbortController()
    let isConfirmed = false
    const tell = (frame: Buffer): void => {
      for (const watcher of watchers) watcher(frame)
    }
    const listening: Promise<Subscription> = client.listen(
      channel,
      (message) => tell(eventFrame({ channel, message })),
      { signal: stop.signal, onGap: ({ reason, missed }) => tell(gapFrame(channel, reason, missed)) },
    )
    const confirmed = listening.then(
      () => {
        isConfirmed = true
      },
      (error: unknown) => {
        // The next one to ask tries again.
        if (feeds.get(channel)?.feed === feed) feeds.delete(channel)
        throw error
      },
    )
    // Whoever still wants it looks for itself.
    confirmed.catch(() => {})
    const feed: ChannelFeed = {
      channel,
      confirmed,
      isConfirmed: () => isConfirmed,
      watch: (onFrame) => void watchers.add(onFrame),
      release(onFrame) {
        watchers.delete(onFrame)
        const entry = feeds.get(channel)
        if (entry?.feed !== feed) return
        entry.users -= 1
        if (entry.users > 0) return
        feeds.delete(channel)
        stop.abort()
      },
    }
    return feed
  }

  return {
    feed(channel) {
      const entry = feeds.get(channel) ?? { feed: open(channel), users: 0 }
      entry.users += 1
      feeds.set(channel, entry)
      return entry.feed
    },
  }
}
