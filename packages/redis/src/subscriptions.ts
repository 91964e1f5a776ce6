import type { PubSubError } from '@ps/core'
import type { Connection } from './connection.js'
import { isForbidden, isRefusal, subscribeFailure } from './failures.js'

/** The channels that are wanted, whatever connection is at hand. */
export interface Subscriptions {
  /** Subscribes on a new connection to all that is wanted. Resolves once the server has confirmed that, or it is lost. */
  attach(connection: Connection): Promise<void>
  /** The connection is lost. All stays wanted. */
  detach(): void
  add(channel: string): Promise<void>
  remove(channel: string): Promise<void>
  isWanted(channel: string): boolean
  /** Whether any channel that is wanted has ever been confirmed. */
  readonly promised: boolean
  /** Wants nothing any more, and rejects what has not been confirmed. */
  stop(error: PubSubError): void
}

interface Wanted {
  confirmed: boolean
  readonly resolve: () => void
  readonly reject: (error: PubSubError) => void
}

export function createSubscriptions(): Subscriptions {
  const wanted = new Map<string, Wanted>()
  let connection: Connection | undefined

  const subscribe = async (through: Connection, channel: string, entry: Wanted): Promise<void> => {
    try {
      await through.call('SUBSCRIBE', channel)
      entry.confirmed = true
      entry.resolve()
    } catch (error) {
      // Where the connection is lost, the next one subscribes to all that is wanted.
      if (!isRefusal(error)) return
      if (isForbidden(error) && !entry.confirmed) {
        if (wanted.get(channel) === entry) wanted.delete(channel)
        entry.reject(subscribeFailure(error, channel))
      } else {
        // What has been promised cannot be kept, or the server is in no state to serve.
        through.lose(error)
      }
    }
  }

  return {
    async attach(given) {
      connection = given
      await Promise.all(Array.from(wanted, ([channel, entry]) => subscribe(given, channel, entry)))
    },
    detach() {
      connection = undefined
    },
    add(channel) {
      return new Promise((resolve, reject) => {
        const entry = { confirmed: false, resolve, reject }
        wanted.set(channel, entry)
        if (connection !== undefined) void subscribe(connection, channel, entry)
      })
    },
    async remove(channel) {
      wanted.delete(channel)
      // A lost connection is subscribed to nothing either.
      await connection?.call('UNSUBSCRIBE', channel).catch(() => {})
    },
    isWanted: (channel) => wanted.has(channel),
    get promised() {
      for (const { confirmed } of wanted.values()) if (confirmed) return true
      return false
    },
    stop(error) {
      for (const { reject } of wanted.values()) reject(error)
      wanted.clear()
    },
  }
}
