import type { PubSubError } from '@ps/core'
import type { ClusterNode } from './cluster-node.js'
import type { Connection } from './connection.js'
import { isForbidden, isRefusal, subscribeFailure } from './failures.js'
import { slotOf } from './slot.js'

/** The channels that are wanted, each on the node that serves its slot. */
export interface ClusterSubscriptions {
  add(channel: string): Promise<void>
  remove(channel: string): Promise<void>
  isWanted(channel: string): boolean
  /** Subscribes to all that is wanted and is not subscribed, where its node is connected; lets the others connect. */
  reconcile(): void
  /** A connection is lost, and with it what was subscribed there. */
  lost(connection: Connection): void
  /** A server has ended a subscription of this connection. */
  moved(connection: Connection, channel: string): void
  /** Whether every wanted channel is confirmed. */
  readonly complete: boolean
  /** Whether every channel that had been confirmed is so again. */
  readonly restored: boolean
  /** Wants nothing any more, and rejects what has not been confirmed. */
  stop(error: PubSubError): void
}

export interface ClusterSubscriptionsOptions {
  /** The node that serves a slot, as far as it is known. */
  readonly nodeOf: (slot: number) => ClusterNode | undefined
  /** A channel that was confirmed is so no longer. */
  readonly onInterrupted: (channel: string) => void
  readonly onConfirmed: () => void
  /** A server refused a channel for what passes, such as `MOVED`: `reconcile` is to be called again. */
  readonly onRefused: (error: Error, node: ClusterNode) => void
}

interface Wanted {
  readonly channel: string
  readonly slot: number
  /** Whether it has been confirmed before. */
  promised: boolean
  /** Where it is subscribed. */
  on: Connection | undefined
  /** Where it has been asked for, and not been answered. */
  asked: Connection | undefined
  /** Whether the server has ended a subscription to it since it was asked for. */
  movedSince: boolean
  readonly resolve: () => void
  readonly reject: (error: PubSubError) => void
}

export function createClusterSubscriptions(options: ClusterSubscriptionsOptions): ClusterSubscriptions {
  const { nodeOf, onInterrupted, onConfirmed, onRefused } = options
  const wanted = new Map<string, Wanted>()
  // Those of them that are not subscribed.
  const open = new Set<Wanted>()

  const subscribe = (entry: Wanted): void => {
    const node = nodeOf(entry.slot)
    if (node === undefined || entry.asked !== undefined) return
    if (node.listening === undefined) node.listen()
    else void ask(entry, node, node.listening)
  }

  const ask = async (entry: Wanted, node: ClusterNode, connection: Connection): Promise<void> => {
    const { channel } = entry
    entry.asked = connection
    entry.movedSince = false
    try {
      await connection.call('SSUBSCRIBE', channel)
      entry.asked = undefined
      if (wanted.get(channel) !== entry || connection.lost !== undefined) return
      // It may have gone again before we were told that it had come.
      if (entry.movedSince) {
        if (entry.promised) onInterrupted(channel)
        return onRefused(new Error(`channel ${JSON.stringify(channel)} moved at once`), node)
      }
      entry.on = connection
      entry.promised = true
      open.delete(entry)
      entry.resolve()
      onConfirmed()
    } catch (error) {
      entry.asked = undefined
      // Where the connection is lost, the next one subscribes to all that is wanted.
      if (!isRefusal(error) || wanted.get(channel) !== entry) return
      if (!isForbidden(error)) {
        onRefused(error, node)
      } else if (entry.promised) {
        // What has been promised cannot be kept.
        connection.lose(error)
      } else {
        forget(entry)
        entry.reject(subscribeFailure(error, channel))
        onConfirmed()
      }
    }
  }

  const forget = (entry: Wanted): void => {
    wanted.delete(entry.channel)
    open.delete(entry)
  }

  const interrupt = (entry: Wanted): void => {
    entry.on = undefined
    open.add(entry)
    onInterrupted(entry.channel)
  }

  return {
    add(channel) {
      return new Promise((resolve, reject) => {
        const entry: Wanted = {
          channel,
          slot: slotOf(channel),
          promised: false,
          on: undefined,
          asked: undefined,
          movedSince: false,
          resolve,
          reject,
        }
        wanted.set(channel, entry)
        open.add(entry)
        subscribe(entry)
      })
    },
    async remove(channel) {
      const entry = wanted.get(channel)
      if (entry === undefined) return
      forget(entry)
      onConfirmed()
      // A lost connection is subscribed to nothing either, nor is a node that has given the slot away.
      await (entry.on ?? entry.asked)?.call('SUNSUBSCRIBE', channel).catch(() => {})
    },
    isWanted: (channel) => wanted.has(channel),
    reconcile() {
      for (const entry of open) subscribe(entry)
    },
    lost(connection) {
      for (const entry of wanted.values()) if (entry.on === connection) interrupt(entry)
    },
    moved(connection, channel) {
      const entry = wanted.get(channel)
      if (entry?.on === connection) interrupt(entry)
      else if (entry?.asked === connection) entry.movedSince = true
    },
    get complete() {
      return open.size === 0
    },
    get restored() {
      for (const entry of open) if (entry.promised) return false
      return true
    },
    stop(error) {
      for (const { reject } of wanted.values()) reject(error)
      wanted.clear()
      open.clear()
    },
  }
}
