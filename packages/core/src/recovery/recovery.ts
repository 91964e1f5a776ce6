import { randomBytes } from 'node:crypto'
import type { Broker } from '../broker.js'
import type { Gap, RecoveryHealth } from '../client.js'
import { settledWithin } from '../deadline.js'
import { controlChannel } from './control-channel.js'
import { type ControlMessage, decodeControlMessage, encodeControlMessage } from './control-message.js'
import { createHeartbeats } from './heartbeats.js'
import { createIncoming, maxHeldBytes } from './incoming.js'
import { createOriginReader } from './origin.js'
import { createOutgoing, type Outgoing, type OutgoingChannel } from './outgoing.js'
import { createResending } from './resending.js'

// With the rest of what only recovery needs, so that nobody else loads it.
export { createStallWatch } from '../stall-watch.js'

/** How long the last heartbeat may take, in milliseconds. */
const farewellTimeout = 1_000
/** A broker that failed so lately, in milliseconds, may have taken along what nobody has missed yet. */
const recentFailure = 5_000
/** For how long a client that closes after such a failure still answers, in milliseconds: two requests of a listener. */
const lingerMilliseconds = 1_200

export interface RecoveryOptions {
  /** The most bytes of published messages that are kept to be sent again. */
  readonly maxKeptBytes: number
  /** Every broker; control messages go over all that are up, so that one way is enough. */
  readonly brokers: readonly Broker[]
  /** Hands on a message, or a pack without its first `skip` messages. */
  readonly deliver: (channel: string, text: string, skip: number) => void
  readonly gap: (gap: Gap) => void
}

/**
 * Makes whole what a broker has lost, over all brokers of a client: what this client publishes is numbered and kept for a
 * while, what it hears is put in order, and what is missing is asked for.
 */
export interface Recovery {
  readonly outgoing: Outgoing
  /** The next message of the channel is decided. */
  decided(channel: OutgoingChannel): void
  /** A payload arrived. Whether it is dealt with: a plain message is not. */
  message(broker: Broker, channel: string, payload: string): boolean
  /** A channel gets its first listener. */
  entered(channel: string): void
  /** A broker has confirmed a channel. */
  confirmed(channel: string): void
  /** A channel has lost its last listener. */
  left(channel: string): void
  /** A broker was interrupted and is live again, or a broker is up that was not. */
  interrupted(): void
  /** Whether plain messages, which nobody can send again, were heard on the channel. */
  isPlain(channel: string): boolean
  /** A broker went down. */
  failed(): void
  health(): RecoveryHealth
  /** Says goodbye; resolves when that is said. What is published must be decided before. */
  close(): Promise<void>
}

export function createRecovery(options: RecoveryOptions): Recovery {
  const { deliver, gap } = options
  const client = randomBytes(8).toString('base64url')
  const outgoing = createOutgoing(client, options.maxKeptBytes)
  const readOrigin = createOriginReader()
  const plainChannels = new Set<string>()
  let failedAt = Number.NEGATIVE_INFINITY
  let saying: Promise<unknown>[] = []
  let closing = false

  const upBrokers = (): readonly Broker[] => options.brokers.filter(({ state }) => state === 'ready')

  /** Resolves with whether every broker has taken it. */
  const say = async (message: ControlMessage): Promise<boolean> => {
    const payload = encodeControlMessage(message)
    const up = upBrokers()
    const said = Promise.allSettled(up.map((broker) => broker.publish(controlChannel, payload)))
    if (closing) saying.push(said)
    const outcomes = await said
    return up.length === options.brokers.length && outcomes.every(({ status }) => status === 'fulfilled')
  }

  const incoming = createIncoming({
    client,
    maxHeldBytes,
    deliver,
    gap,
    ask: (question) => void say(question),
    request: (request) => void say(request),
    isConnected: () => upBrokers().length > 0,
  })
  const heartbeats = createHeartbeats(outgoing, say)
  const resending = createResending({
    outgoing,
    publish(channel, payload, over) {
      const up = upBrokers()
      const broker = up.find(({ name }) => name === over) ?? up[0]
      // Whoever still misses it asks again.
      broker?.publish(channel, payload).catch(() => {})
    },
    refuse: (refusal) => void say(refusal),
  })

  const control = (message: ControlMessage, over: string): void => {
    if (message.kind === 'heartbeat') incoming.heartbeat(message, over)
    else if (message.kind === 'gone') incoming.refusal(message)
    else if (message.kind === 'request') {
      if (message.publisher === client) resending.handle(message)
      incoming.overheard(message)
    } else if (message.publisher === undefined || message.publisher === client) {
      heartbeats.answer(message)
    }
  }

  return {
    outgoing,
    decided: heartbeats.decided,
    message(broker, channel, payload) {
      if (channel === controlChannel) {
        const message = decodeControlMessage(payload)
        if (message !== undefined) control(message, broker.name)
        return true
      }
      const origin = readOrigin(payload)
      if (origin === undefined) {
        plainChannels.add(channel)
        return false
      }
      incoming.receive(channel, origin, broker.name)
      return true
    },
    entered: incoming.entered,
    confirmed: incoming.confirmed,
    left(channel) {
      plainChannels.delete(channel)
      incoming.left(channel)
    },
    interrupted() {
      incoming.interrupted()
      heartbeats.repeat()
    },
    isPlain: (channel) => plainChannels.has(channel),
    failed() {
      failedAt = performance.now()
    },
    health: () => ({
      publisher: client,
      kept: { messages: outgoing.messages, bytes: outgoing.bytes },
      heldBytes: incoming.heldBytes,
      resent: resending.resent,
      forgotten: resending.forgotten,
      requested: incoming.requested,
      doubles: incoming.doubles,
    }),
    async close() {
      closing = true
      heartbeats.close()
      await settledWithin(Promise.all(saying), farewellTimeout)
      saying = []
      if (outgoing.messages > 0 && performance.now() - failedAt < recentFailure)
        await new Promise((resolve) => setTimeout(resolve, lingerMilliseconds))
      incoming.close()
    },
  }
}
