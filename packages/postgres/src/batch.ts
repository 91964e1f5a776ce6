import { createDistinctPayloads } from './distinct-payloads.js'
import { isWithin, notificationPayloads } from './notification-payloads.js'
import { physicalChannel } from './physical-channel.js'

/** Beyond this the gain of a larger batch is lost in the latency of its first message (docs/performance.md). */
const maxNotifications = 500
/** A page of the server's notification queue, in bytes. Of what is longer than half of it, each takes one to itself. */
const pageBytes = 8_192
/**
 * Of the queue, unless one message alone takes more. The smallest queue that can be set has 64 pages, and a batch that never fits
 * would leave it full: PostgreSQL wakes the listeners for what was committed only.
 */
const maxBatchBytes = 60 * pageBytes

/** What is to be published. */
export interface Message {
  readonly channel: string
  readonly payload: string
}

/** What goes in one transaction. */
export interface Batch<Kind extends Message> {
  readonly messages: readonly Kind[]
  /** Physical channel and payload, in order. */
  readonly notifications: readonly (readonly [channel: string, payload: string])[]
}

/** Takes as many messages off the head of `waiting` as may share a transaction: at least one; just one where `single`. */
export function takeBatch<Kind extends Message>(
  waiting: Kind[],
  unicode: boolean,
  single: boolean,
): Batch<Kind> {
  const distinct = createDistinctPayloads()
  const notifications: [string, string][] = []
  let bytes = 0
  let taken = 0
  // One program publishes on the same channel again and again.
  let lastChannel: string | undefined
  let physical = ''
  for (const { channel, payload } of waiting) {
    if (taken > 0 && !isWithin(payload, maxBatchBytes - bytes)) break
    if (channel !== lastChannel) {
      lastChannel = channel
      physical = physicalChannel(channel, unicode)
    }
    const texts = notificationPayloads(payload, unicode)
    if (taken > 0 && notifications.length + texts.length > maxNotifications) break
    for (const text of texts) {
      const sent = distinct(physical, text)
      if (sent === undefined) return { messages: waiting.splice(0, taken), notifications }
      notifications.push([physical, sent])
      bytes += sent.length > pageBytes / 2 ? pageBytes : sent.length
    }
    taken += 1
    if (single) break
  }
  return { messages: waiting.splice(0, taken), notifications }
}
