import type { WatchedClient } from './watched-client.js'

/** A channel, and the numbered messages that one client publishes on it. */
export interface Lane {
  readonly channel: string
  /** The numbers of the messages whose publish has resolved `true`. */
  readonly accepted: ReadonlySet<number>
  /** How many publishes have resolved `false`. */
  readonly refused: number
  /** The number of the next message. */
  readonly next: number
  /** Publishes the next message. */
  publish(): Promise<boolean>
}

// Every tenth message does not fit one NOTIFY, so that parts are cut in the middle, too.
const padding = (sequence: number): string => 'x'.repeat(sequence % 10 === 0 ? 9_000 : (sequence * 37) % 400)

export function createLane(channel: string, { client }: WatchedClient): Lane {
  const accepted = new Set<number>()
  let refused = 0
  let next = 0
  return {
    channel,
    accepted,
    get refused() {
      return refused
    },
    get next() {
      return next
    },
    async publish() {
      const sequence = next
      next += 1
      const taken = await client.publish(channel, { sequence, padding: padding(sequence) })
      if (taken) accepted.add(sequence)
      else refused += 1
      return taken
    },
  }
}

/** The number of a message that came over a lane. */
export const sequenceOf = (message: unknown): number | undefined =>
  typeof message === 'object' && message !== null && 'sequence' in message
    ? Number(message.sequence)
    : undefined
