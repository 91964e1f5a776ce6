import type { Logger, PubSubError } from '@ps/core'
import { createChannelWarning } from './channel-warning.js'
import type { Connection } from './connection.js'
import { physicalChannel, quoteChannel } from './physical-channel.js'
import { createStatementQueue, type StatementQueue } from './statement-queue.js'

/** The channels that are wanted, and what the connection at hand listens to. */
export interface Subscriptions {
  /** Listens on a new connection to all that is wanted. Resolves once the server has confirmed that. */
  attach(connection: Connection): Promise<void>
  /** The connection is lost. All stays wanted. */
  detach(): void
  add(channel: string): Promise<void>
  remove(channel: string): Promise<void>
  /** The channel that travels under a physical name, where it is wanted. */
  channelOf(physical: string): string | undefined
  isWanted(channel: string): boolean
  /** Rejects what has not been confirmed yet. */
  stop(error: PubSubError): void
}

interface Wanted {
  readonly resolve: () => void
  readonly reject: (error: PubSubError) => void
}

interface Session {
  readonly connection: Connection
  readonly statements: StatementQueue
  /** From physical name to channel. */
  readonly channels: Map<string, string>
}

export function createSubscriptions(log: Logger): Subscriptions {
  const warn = createChannelWarning(log)
  const wanted = new Map<string, Wanted>()
  let session: Session | undefined

  const listen = async (through: Session, channel: string, { resolve }: Wanted): Promise<void> => {
    const physical = physicalChannel(channel, through.connection.unicode)
    through.channels.set(physical, channel)
    warn(through.channels.size, through.connection)
    await through.statements.run(`LISTEN ${quoteChannel(physical)}`)
    resolve()
  }

  return {
    async attach(connection) {
      const started = {
        connection,
        statements: createStatementQueue(connection),
        channels: new Map<string, string>(),
      }
      session = started
      await Promise.all(Array.from(wanted, ([channel, pending]) => listen(started, channel, pending)))
    },
    detach() {
      session = undefined
    },
    add(channel) {
      return new Promise((resolve, reject) => {
        const pending = { resolve, reject }
        wanted.set(channel, pending)
        // Where the connection is lost meanwhile, the next one listens to all that is wanted.
        if (session !== undefined) listen(session, channel, pending).catch(() => {})
      })
    },
    async remove(channel) {
      wanted.delete(channel)
      if (session === undefined) return
      const physical = physicalChannel(channel, session.connection.unicode)
      session.channels.delete(physical)
      // A lost connection listens to nothing either.
      await session.statements.run(`UNLISTEN ${quoteChannel(physical)}`).catch(() => {})
    },
    isWanted: (channel) => wanted.has(channel),
    channelOf: (physical) => session?.channels.get(physical),
    stop(error) {
      session = undefined
      for (const { reject } of wanted.values()) reject(error)
      wanted.clear()
    },
  }
}
