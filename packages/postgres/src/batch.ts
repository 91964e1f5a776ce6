import { createDistinctPayloads } from './distinct-payloads.js'
import { isWithin, notificationPayloads } from './notification-payloads.js'
import { physicalChannel } from './physical-channel.js'

/** Beyond this the gain of a larger batch is lost in the latency of its first message (docs/performance.md). */
const maxNotifications = 500
/** A page of the server's notification queue, in bytes. No notification spans two. */
const pageBytes = 8_192
/** What a notification takes there beside its channel and its payload, in bytes, with what fills it up to a multiple of 4. */
const entryBytes = 16 + 2 + 3
/** Of the queue, unless one message alone takes more. The smallest queue that can be set has 64 pages. */
export const maxPages = 60
/** Up to this length, in code units, `maxNotifications` fit into `maxPages` whatever their characters are. */
const shortLength = 275

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

/** Takes as many messages off the head of `waiting` as may share a transaction and `most` pages of the queue: at least one. */
export function takeBatch<Kind extends Message>(
  waiting: Kind[],
  unicode: boolean,
  most: number,
): Batch<Kind> {
  const distinct = createDistinctPayloads()
  const notifications: [string, string][] = []
  // Of the queue, up to the end of the last page that is begun.
  let pages = 1
  let room = pageBytes
  let taken = 0
  // One program publishes on the same channel again and again.
  let lastChannel: string | undefined
  let physical = ''
  let fixedBytes = 0
  for (const { channel, payload } of waiting) {
    if (taken > 0 && !isWithin(payload, (most - pages) * pageBytes + room)) break
    if (channel !== lastChannel) {
      lastChannel = channel
      physical = physicalChannel(channel, unicode)
      fixedBytes = entryBytes + Buffer.byteLength(physical)
    }
    const texts = notificationPayloads(payload, unicode)
    const before = notifications.length
    if (taken > 0 && before + texts.length > maxNotifications) break
    for (const text of texts) {
      const sent = distinct(physical, text)
      if (sent === undefined) return { messages: waiting.splice(0, taken), notifications }
      notifications.push([physical, sent])
      const bytes = fixedBytes + (sent.length <= shortLength ? sent.length * 3 : Buffer.byteLength(sent))
      if (bytes > room) {
        pages += 1
        room = pageBytes
      }
      room -= bytes
    }
    if (taken > 0 && pages > most) {
      notifications.length = before
      break
    }
    taken += 1
  }
  return { messages: waiting.splice(0, taken), notifications }
}
