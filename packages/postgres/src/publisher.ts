import { isPubSubError, type Send, type Settled } from '@ps/core'
import { type Batch, maxPages, type Message, takeBatch } from './batch.js'
import type { Connection } from './connection.js'
import { isFaultOfMessage, isRefusal, publishFailure } from './failures.js'
import { findRoom, isQueueFull } from './notification-queue.js'

/**
 * Stands between the texts of a batch. JSON text never holds it, so nothing need be escaped; the server splits at it in half
 * the time that it takes to read the same as JSON.
 */
const separator = '\x1f'
const hasSeparator = (text: string): boolean => text.includes(separator)

interface Waiting extends Message {
  readonly settled: Settled
  readonly ticket: unknown
}

/** Sends messages over one connection at a time, in the order of the calls. */
export interface Publisher {
  /** Sends over `connection` from now on. */
  attach(connection: Connection): void
  /**
   * Sends no more, and refuses all that is not acknowledged in the order of the calls: what is being sent as
   * `outcome_unknown`, what waits as `not_sent`, or with `cause` where that says `closed`.
   */
  detach(cause: Error): void
  readonly send: Send
  /** Resolves once nothing is under way. */
  idle(): Promise<void>
}

/**
 * One batch is under way at a time. What arrives meanwhile goes with the next, so that a lone message leaves at once and
 * a busy publisher pays one round trip for hundreds. Two at a time would be faster still, but the second could overtake
 * a refused first.
 */
export function createPublisher(): Publisher {
  const waiting: Waiting[] = []
  let sending: readonly Waiting[] = []
  let connection: Connection | undefined
  let pumping: Promise<void> | undefined
  // How many messages at the head of `waiting` are to go one by one, since the server refused their batch.
  let suspects = 0
  // How many pages of the server's queue the next batch may take. What a batch that did not fit has left in a full queue, PostgreSQL
  // takes out with the next one that does: it wakes the listeners for what is committed only. So that begins with one message.
  let pages = maxPages

  /** Sends what waits, as far as it fits. Resolves with what was accepted. */
  const sendNext = async (through: Connection): Promise<readonly Waiting[]> => {
    const batch = takeBatch(waiting, through.unicode, suspects > 0 ? 0 : pages)
    if (suspects > 0) suspects -= 1
    pages = Math.min(2 * pages, maxPages)
    sending = batch.messages
    try {
      await sendBatch(through, batch)
    } catch (error) {
      // Otherwise `detach` has refused them.
      if (connection === through && isRefusal(error)) await refused(through, error)
      return []
    }
    const accepted = sending
    sending = []
    return accepted
  }

  const refused = async (by: Connection, error: Error): Promise<void> => {
    const messages = sending
    sending = []
    // It may be the fault of one message, which must fail alone. The server has rolled all of them back, so this sends nothing twice.
    if (messages.length > 1 && isFaultOfMessage(error)) {
      waiting.unshift(...messages)
      suspects = messages.length
      return
    }
    let behind: readonly Waiting[] = []
    if (!isFaultOfMessage(error)) {
      // A moment later the server may take them, and they would overtake what is refused now, which may be sent again.
      behind = waiting.splice(0)
      suspects = 0
    }
    for (const { channel, settled, ticket } of [...messages, ...behind])
      settled(ticket, publishFailure(error, channel, 'not_sent'))
    if (!isQueueFull(error)) return
    pages = 1
    await findRoom(by)
  }

  const next = (): Connection | undefined => (waiting.length > 0 ? connection : undefined)

  const pump = async (): Promise<void> => {
    // The rest of a burst of calls belongs into the first batch.
    await Promise.resolve()
    let accepted: readonly Waiting[] = []
    for (let through = next(); through !== undefined || accepted.length > 0; through = next()) {
      const outcome = through === undefined ? [] : sendNext(through)
      // Not before: the server has the next batch to do while the callers hear of the last one and publish again.
      for (const { settled, ticket } of accepted) settled(ticket)
      accepted = await outcome
    }
    pumping = undefined
  }

  const wake = (): void => {
    if (next() !== undefined) pumping ??= pump()
  }

  return {
    attach(given) {
      connection = given
    },
    detach(cause) {
      connection = undefined
      suspects = 0
      const unknown = sending
      const unsent = waiting.splice(0)
      sending = []
      for (const { channel, settled, ticket } of unknown)
        settled(ticket, publishFailure(cause, channel, 'outcome_unknown'))
      for (const { channel, settled, ticket } of unsent)
        settled(ticket, isPubSubError(cause, 'closed') ? cause : publishFailure(cause, channel, 'not_sent'))
    },
    send(channel, payload, settled, ticket) {
      waiting.push({ channel, payload, settled, ticket })
      wake()
    },
    async idle() {
      await pumping
    },
  }
}

const sendBatch = async (connection: Connection, { notifications }: Batch<Message>): Promise<void> => {
  const [first] = notifications
  if (notifications.length === 1 && first !== undefined) {
    await connection.query((sql) => sql`select pg_notify(${first[0]}, ${first[1]})`)
    return
  }
  const channels = notifications.map(([channel]) => channel)
  const payloads = notifications.map(([, payload]) => payload)
  await connection.query(
    channels.some(hasSeparator) || payloads.some(hasSeparator)
      ? (sql) => sql`
          select count(pg_notify(one->>0, one->>1)) from json_array_elements(${JSON.stringify(notifications)}::text::json) one
        `
      : (sql) => sql`
          select count(pg_notify(channel, payload))
          from unnest(string_to_array(${channels.join(separator)}, E'\x1f'), string_to_array(${payloads.join(separator)}, E'\x1f'))
            as one (channel, payload)
        `,
  )
}
