import type { Broker } from './broker.js'
import type { Gap } from './client.js'
import { isPubSubError, PubSubError } from './errors.js'
import type { Listener } from './listener.js'
import type { checkedMessage } from './checked-message.js'
import type { Check } from './message-check.js'
import { decodeMessage } from './message-text.js'
import { isPack, unpack } from './pack.js'

export interface SubscriptionsOptions {
  readonly brokers: readonly Broker[]
  /** What messages are checked with, by channel; others are delivered as they come. */
  readonly checks: ReadonlyMap<string, Check> | undefined
  /** Needed with `checks`. */
  readonly checkedMessage: typeof checkedMessage | undefined
  /** A payload could not be delivered. */
  readonly onInvalid: (error: PubSubError) => void
  /** A channel gets its first listener. */
  readonly onEntered: (channel: string) => void
  /** A channel has lost its last listener. */
  readonly onLeft: (channel: string) => void
  /** A broker refused a channel that live listeners hear over another one. */
  readonly onRefused: (error: PubSubError) => void
}

/** Which listeners hear which channel, and the edges that follow from it: the first listener subscribes, the last unsubscribes. */
export interface Subscriptions {
  /** Resolves once every broker has confirmed the channel or is known to be down, and at least one has confirmed. */
  add(channel: string, listener: Listener): Promise<void>
  /** Stops delivery at once; resolves when the brokers have let go. A pending `add` of the listener rejects with `reason`. */
  remove(channel: string, listener: Listener, reason?: unknown): Promise<void>
  /** Removes every listener; pending `add`s reject with `closed`. */
  close(): void
  /** A message arrived, or a pack, of which the first `skip` messages are not delivered. */
  message(channel: string, text: string, skip: number): void
  /** To be called when a broker has confirmed the channel. */
  confirmed(channel: string): void
  /** To be called when a broker has refused the channel. */
  refused(channel: string, error: PubSubError): void
  /** To be called when a broker's state has changed. */
  stateChanged(broker: Broker): void
  /** To be called when a broker was interrupted and is live again. `isConcerned`: whether anything may be missing on a channel. */
  interrupted(broker: Broker, reason: string, isConcerned: (channel: string) => boolean): void
  /** Tells the listeners of one channel that something is missing. */
  gap(gap: Gap): void
}

interface Member {
  readonly listener: Listener
  /** Set while its `add` is pending. */
  pending: { resolve(): void; reject(reason: unknown): void } | undefined
  /** When, by the count of interruptions, its `add` was resolved. */
  liveSince: number
}

interface Channel {
  readonly members: Map<Listener, Member>
  /** The listeners of `members`; made when they are needed, as adding thousands one by one would copy them each time. */
  hearing: readonly Listener[] | undefined
  readonly check: Check | undefined
}

export function createSubscriptions(options: SubscriptionsOptions): Subscriptions {
  const { brokers, onInvalid, onRefused } = options
  const channels = new Map<string, Channel>()
  // Counts interruptions, so that only listeners that were live before one are told of it.
  let interruptions = 0
  // Those not told of yet.
  const lastInterruption = new Map<Broker, number>()

  /** At least one broker brings the channel and no broker is up without bringing it. */
  const isLive = (channel: string): boolean => {
    let live = false
    for (const broker of brokers) {
      if (broker.isLive(channel)) live = true
      else if (broker.state === 'ready') return false
    }
    return live
  }

  const goLive = (member: Member): void => {
    if (member.pending === undefined) return
    member.liveSince = interruptions
    member.pending.resolve()
    member.pending = undefined
  }

  const settlePending = (channel: string): void => {
    const known = channels.get(channel)
    if (known === undefined || !isLive(channel)) return
    for (const member of known.members.values()) goLive(member)
  }

  const removeMember = async (channel: string, listener: Listener, reason: unknown): Promise<void> => {
    listener.close()
    const known = channels.get(channel)
    const member = known?.members.get(listener)
    if (known === undefined || member === undefined) return
    known.members.delete(listener)
    known.hearing = undefined
    member.pending?.reject(reason)
    if (known.members.size > 0) return
    channels.delete(channel)
    options.onLeft(channel)
    await Promise.all(brokers.map((broker) => broker.unsubscribe(channel)))
  }

  return {
    add(channel, listener) {
      let known = channels.get(channel)
      if (known === undefined) {
        known = { members: new Map(), hearing: undefined, check: options.checks?.get(channel) }
        channels.set(channel, known)
        options.onEntered(channel)
      }
      const { members } = known
      known.hearing = undefined
      return new Promise((resolve, reject) => {
        const member: Member = { listener, pending: { resolve, reject }, liveSince: 0 }
        members.set(listener, member)
        for (const broker of brokers) broker.subscribe(channel)
        if (isLive(channel)) goLive(member)
      })
    },
    remove: (channel, listener, reason) => removeMember(channel, listener, reason),
    close() {
      const reason = new PubSubError('closed', 'the client has been closed')
      for (const [channel, { members }] of channels) {
        for (const listener of members.keys()) void removeMember(channel, listener, reason)
      }
    },
    message(channel, payload, skip) {
      const known = channels.get(channel)
      if (known === undefined) return
      let messages: readonly unknown[] | undefined
      let message: unknown
      try {
        if (isPack(payload)) messages = unpack(channel, payload)
        else message = decodeMessage(channel, payload)
      } catch (error) {
        if (isPubSubError(error)) onInvalid(error)
        return
      }
      // Not those that a callback adds meanwhile, which must not hear these messages.
      const listeners = (known.hearing ??= Array.from(known.members.keys()))
      const { check } = known
      if (check !== undefined) {
        const all = messages ?? [message]
        for (const one of all.slice(skip)) {
          const given = options.checkedMessage?.(channel, one, check, (error) => {
            // By now nobody may listen any more.
            if (channels.get(channel) === known) onInvalid(error)
          })
          if (given === undefined) continue
          for (const listener of listeners) listener.deliver(given.value, payload, all.length)
        }
      } else if (messages === undefined) {
        for (const listener of listeners) listener.deliver(message, payload, 1)
      } else {
        for (const one of skip === 0 ? messages : messages.slice(skip))
          for (const listener of listeners) listener.deliver(one, payload, messages.length)
      }
    },
    confirmed: settlePending,
    refused(channel, error) {
      let live = false
      for (const { listener, pending } of channels.get(channel)?.members.values() ?? []) {
        if (pending === undefined) live = true
        else void removeMember(channel, listener, error)
      }
      if (live) onRefused(error)
    },
    stateChanged(broker) {
      if (broker.state === 'down') {
        interruptions += 1
        lastInterruption.set(broker, interruptions)
      }
      for (const channel of channels.keys()) settlePending(channel)
    },
    interrupted(broker, reason, isConcerned) {
      // Without an interruption something was lost on a live connection, which concerns every live listener.
      const interruption = lastInterruption.get(broker) ?? Number.POSITIVE_INFINITY
      lastInterruption.delete(broker)
      for (const [channel, { members }] of channels) {
        if (!isConcerned(channel)) continue
        for (const { listener, pending, liveSince } of members.values()) {
          if (pending === undefined && liveSince < interruption)
            listener.gap({ channel, reason } satisfies Gap)
        }
      }
    },
    gap(gap) {
      for (const { listener, pending } of channels.get(gap.channel)?.members.values() ?? [])
        if (pending === undefined) listener.gap(gap)
    },
  }
}
