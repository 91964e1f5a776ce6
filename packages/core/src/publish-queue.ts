import type { Broker } from './broker.js'
import { settledWithin } from './deadline.js'
import { describeError, isPubSubError, PubSubError } from './errors.js'
import type { createLanes, Lanes } from './lanes.js'
import type { MessageText } from './message-text.js'
import { packEnvelopeBytes, packTexts } from './pack.js'
import { maxOriginBytes } from './recovery/origin.js'
import type { Outgoing, OutgoingChannel } from './recovery/outgoing.js'
import type { Route } from './route.js'
import type { Settled } from './send.js'
import type { createStallWatch } from './stall-watch.js'

/** The most messages that may wait to be acknowledged. */
export const maxQueuedMessages = 65_536
/** The most bytes that may wait to be acknowledged: 16 MiB. */
export const maxQueuedBytes = 16 * 1024 * 1024
/** The longest pack for a backend that does not say how long its payloads should be, in bytes: 64 KiB. */
const defaultPayloadBytes = 64 * 1024

export interface PublishQueueOptions {
  readonly route: Route
  /** Milliseconds after which a message that is not acknowledged resolves `false`. */
  readonly publishTimeout: number
  readonly maxMessages: number
  readonly maxBytes: number
  /** Given where messages of one channel may share a payload. */
  readonly createLanes: typeof createLanes | undefined
  /**
   * Numbers the messages, so that those whose outcome is unknown can be sent again: listeners deliver them once. Without
   * it they resolve `false`.
   */
  readonly outgoing: Outgoing | undefined
  /** Given where a broker that is mute is left, because what it has can be sent again. */
  readonly createStallWatch: typeof createStallWatch | undefined
  /** The next message of a channel is decided. */
  readonly onDecided: (channel: OutgoingChannel) => void
  /** A publish resolved `true`. */
  readonly onPublished: () => void
  /** A publish resolved `false`; the error says why. */
  readonly onFailed: (error: PubSubError) => void
}

/** Holds what has been accepted for publishing until a broker has acknowledged it, in order. */
export interface PublishQueue {
  readonly messages: number
  readonly bytes: number
  /** Resolves as `Client.publish` does; rejects with `not_permitted` only. */
  add(channel: string, message: MessageText): Promise<boolean>
  /** Sends what waits; to be called when there may be a broker that takes it. */
  pump(): void
  /** To be called when a broker's state has changed, before `pump`. */
  stateChanged(broker: Broker): void
  /** Resolves when nothing waits any more, after `deadline` milliseconds at the latest; what is left then resolves `false`. */
  flush(deadline: number): Promise<void>
}

interface Entry extends MessageText {
  /**
   * Empty once it is not accepted, or settled and no longer needed, because an entry may stand in a list for longer.
   */
  text: string
  /** What numbers it, and its number; nothing, and 0, without recovery. */
  readonly numbered: OutgoingChannel | undefined
  readonly sequence: number
  readonly order: number
  readonly channel: string
  /** In milliseconds of `performance.now()`: a clock that is set back must hold up nobody. */
  readonly expires: number
  settled: boolean
  /** With whom it is on its way. */
  flight: Flight | undefined
  readonly resolve: (accepted: boolean) => void
  readonly reject: (error: PubSubError) => void
}

/** What a broker has been given and has not answered. */
interface Flight {
  readonly broker: Broker
  /** How many payloads. */
  count: number
  /** What waits for what is in flight on its channel. */
  readonly lanes: Lanes<Entry> | undefined
  /** Set when the broker no longer carries messages: what is still in flight may come back. */
  ended: boolean
  /** Set when nobody waits for its answers any more: all that was in flight is sent again. */
  abandoned: boolean
  /** Of an entry, or of those of a pack. One function for all, since one for each message would be much of its cost. */
  readonly settled: Settled
}

type Pack = [Entry, ...Entry[]]

export function createPublishQueue(options: PublishQueueOptions): PublishQueue {
  const { route, publishTimeout, outgoing } = options
  const envelopeBytes = packEnvelopeBytes + (outgoing === undefined ? 0 : maxOriginBytes)
  // In the order of the calls, which is also the order of expiry; the one at the head is never settled.
  let unsettled: Entry[] = []
  let unsettledHead = 0
  let waiting: Entry[] = []
  let waitingHead = 0
  let returned: Entry[] = []
  let order = 0
  let messages = 0
  let bytes = 0
  let timer: NodeJS.Timeout | undefined
  let onEmpty: (() => void) | undefined
  // What a broker has in flight when it goes down, refuses a message or is no longer the chosen one is answered one by
  // one; nothing may overtake it meanwhile.
  let flight: Flight | undefined
  const endedFlights = new Set<Flight>()
  let comingBack = 0
  // Why the broker took nothing lately although it is up.
  let refusal: PubSubError | undefined

  // What settles the promise that is being made: a function of its own for each would be garbage at once.
  let resolveNext: Entry['resolve']
  let rejectNext: Entry['reject']
  const keepSettling = (resolve: Entry['resolve'], reject: Entry['reject']): void => {
    resolveNext = resolve
    rejectNext = reject
  }

  const endFlight = (): void => {
    if (flight === undefined) return
    flight.ended = true
    comingBack += flight.count
    if (flight.count > 0) endedFlights.add(flight)
    takeBack(flight.lanes?.clear() ?? [])
    flight = undefined
  }

  /** Puts what was certainly not sent among what waits, once nothing is under way any more. */
  const takeBack = (entries: readonly Entry[]): void => {
    if (returned.length === 0 && entries.length > 0) queueMicrotask(pump)
    for (const entry of entries) {
      // Else it would be taken back once more when the rest of the flight is abandoned.
      entry.flight = undefined
      returned.push(entry)
    }
  }

  /** The flight that a message can join now, if any. */
  const nextFlight = (): Flight | undefined => {
    const broker = route.current()
    if (broker === undefined) return undefined
    if (flight !== undefined && flight.broker !== broker) endFlight()
    if (comingBack > 0) return undefined
    if (flight === undefined) {
      const lanes = options.createLanes?.<Entry>(
        broker.backend.payloadBytes ?? defaultPayloadBytes,
        envelopeBytes,
      )
      const next: Flight = {
        broker,
        count: 0,
        lanes,
        ended: false,
        abandoned: false,
        // The tickets that it is called with are those of `sendAlone` and `sendPack`.
        settled: (ticket, error) => answered(ticket as Entry | Pack, next, error),
      }
      flight = next
    }
    return flight
  }

  // Only what is numbered can be sent again while the first answer may still come.
  const stall = options.createStallWatch?.(
    () => comingBack > 0 || (flight !== undefined && flight.count > 0),
    () => abandon(),
  )

  /** Sends all that a mute broker has not answered over another one, if there is one. */
  const abandon = (): void => {
    const current = flight !== undefined && flight.count > 0 ? [flight] : []
    for (const mute of [...endedFlights, ...current]) {
      if (!route.suspend(mute.broker)) continue
      if (endedFlights.delete(mute)) comingBack -= mute.count
      if (flight === mute) flight = undefined
      mute.abandoned = true
      takeBack(mute.lanes?.clear() ?? [])
      takeBack(unsettled.slice(unsettledHead).filter((entry) => entry.flight === mute && !entry.settled))
    }
    route.update()
  }

  const land = (landed: Flight): void => {
    landed.count -= 1
    if (landed.abandoned) {
      if (landed.count === 0) route.resume(landed.broker)
      return
    }
    if (!landed.ended) return
    comingBack -= 1
    if (landed.count === 0) endedFlights.delete(landed)
    if (comingBack === 0) queueMicrotask(pump)
  }

  /** Whether it was not settled yet. */
  const settle = (entry: Entry, accepted: boolean): boolean => {
    if (entry.settled) return false
    entry.settled = true
    entry.flight = undefined
    if (!accepted || outgoing === undefined) entry.text = ''
    messages -= 1
    bytes -= entry.bytes
    for (let head = unsettled[unsettledHead]; head?.settled; head = unsettled[unsettledHead]) {
      unsettledHead += 1
      if (head.numbered !== undefined) decide(head, head.numbered)
    }
    if (unsettledHead > 1_024 && unsettledHead * 2 > unsettled.length) {
      unsettled = unsettled.slice(unsettledHead)
      unsettledHead = 0
    }
    if (messages === 0) {
      // Not cleared: one that publishes now and then would set it anew each time.
      timer?.unref()
      unsettled.length = 0
      unsettledHead = 0
      onEmpty?.()
    }
    return true
  }

  const decide = (entry: Entry, channel: OutgoingChannel): void => {
    outgoing?.decide(channel, entry.text === '' ? undefined : entry.text, entry.bytes)
    entry.text = ''
    options.onDecided(channel)
  }

  const fail = (entry: Entry, error: PubSubError): void => {
    if (!settle(entry, false)) return
    options.onFailed(error)
    entry.resolve(false)
  }

  const expire = (): void => {
    timer = undefined
    const now = performance.now()
    for (let entry = unsettled[unsettledHead]; entry !== undefined; entry = unsettled[unsettledHead]) {
      if (entry.expires > now) break
      fail(entry, timeoutError(entry))
    }
    skipSettled()
    armTimer()
  }

  const armTimer = (): void => {
    const oldest = unsettled[unsettledHead]
    if (oldest === undefined) return
    if (timer !== undefined) timer.ref()
    // A turn later: answers that have come while the program was busy are read after the timers that are due.
    else timer = setTimeout(() => setImmediate(expire), Math.max(1, oldest.expires - performance.now()))
  }

  const timeoutError = ({ channel }: Entry): PubSubError => {
    const { chosen } = route
    const cause = chosen.cause ?? refusal
    const because = cause === undefined ? '' : `: ${describeError(cause)}`
    const why = chosen.cause === undefined ? because : `: ${chosen.name} is down${because}`
    const words = `no broker acknowledged a message on channel ${JSON.stringify(channel)} within ${publishTimeout} ms${why}`
    return new PubSubError('timeout', words, { channel, backend: chosen.name, cause })
  }

  const succeed = (entry: Entry): void => {
    if (!settle(entry, true)) return
    options.onPublished()
    entry.resolve(true)
  }

  const mayBeLost = (entry: Entry, { name }: Broker, cause: unknown): void => {
    const { channel } = entry
    const words = `${name} may not have accepted a message on channel ${JSON.stringify(channel)}: ${describeError(cause)}`
    fail(entry, new PubSubError('outcome_unknown', words, { channel, backend: name, cause }))
  }

  const send = (entry: Entry, joined: Flight): void => {
    if (joined.lanes === undefined || joined.lanes.enter(entry)) sendAlone(entry, joined)
  }

  /** What goes to the broker for a message, or for a pack of `count` that begins with it. */
  const payloadOf = ({ numbered, sequence }: Entry, text: string, count: number): string => {
    if (numbered === undefined || outgoing === undefined) return text
    return outgoing.withOrigin(numbered, sequence, text, count)
  }

  const sendAlone = (entry: Entry, joined: Flight): void => {
    joined.count += 1
    entry.flight = joined
    stall?.given()
    joined.broker.send(entry.channel, payloadOf(entry, entry.text, 1), joined.settled, entry)
  }

  /** Sends what is of one channel as one payload. */
  const sendPack = (entries: Pack, joined: Flight): void => {
    const [first] = entries
    const { channel } = first
    joined.count += 1
    for (const entry of entries) entry.flight = joined
    stall?.given()
    const text = packTexts(entries.map((entry) => entry.text))
    joined.broker.send(channel, payloadOf(first, text, entries.length), joined.settled, entries)
  }

  const answered = (given: Entry | Pack, joined: Flight, error: Error | undefined): void => {
    if (!joined.abandoned) stall?.answered()
    land(joined)
    if (error !== undefined) return notTaken(Array.isArray(given) ? given : [given], joined, error)
    refusal = undefined
    if (Array.isArray(given)) for (const entry of given) succeed(entry)
    else succeed(given)
    if (joined.lanes !== undefined) goOn(Array.isArray(given) ? given[0].channel : given.channel, joined)
  }

  const notTaken = (entries: Pack, joined: Flight, error: Error): void => {
    const { broker, ended } = joined
    if (joined.abandoned) return
    const open = entries.filter(({ settled }) => !settled)
    if (isPubSubError(error, 'not_permitted')) {
      for (const entry of open) if (settle(entry, false)) entry.reject(error)
    } else if (
      isPubSubError(error) &&
      (error.code === 'not_sent' || (outgoing !== undefined && error.code !== 'closed'))
    ) {
      takeBack(open)
      if (!ended && open.length > 0) {
        refusal = error
        endFlight()
        route.pause(broker)
      }
    } else {
      for (const entry of open) mayBeLost(entry, broker, error)
    }
    goOn(entries[0].channel, joined)
  }

  /** Sends what has waited on the channel for what came back now. */
  const goOn = (channel: string, joined: Flight): void => {
    const { lanes } = joined
    if (lanes === undefined || joined.ended || joined.abandoned || !lanes.arrived(channel)) return
    if (nextFlight() !== joined) {
      if (!joined.ended) endFlight()
      return
    }
    // A flight that ends meanwhile takes back what is left.
    for (let pack = lanes.take(channel); pack !== undefined; pack = lanes.take(channel)) {
      if (pack.length === 1) sendAlone(pack[0], joined)
      else sendPack(pack, joined)
    }
  }

  const skipSettled = (): void => {
    while (waiting[waitingHead]?.settled) waitingHead += 1
    if (waitingHead === waiting.length || (waitingHead > 1_024 && waitingHead * 2 > waiting.length)) {
      waiting = waiting.slice(waitingHead)
      waitingHead = 0
    }
  }

  const pump = (): void => {
    if (comingBack > 0) return
    if (returned.length > 0) {
      waiting = [...waiting.slice(waitingHead), ...returned].toSorted((a, b) => a.order - b.order)
      waitingHead = 0
      returned = []
    }
    for (let entry = waiting[waitingHead]; entry !== undefined; entry = waiting[waitingHead]) {
      const next = nextFlight()
      if (next === undefined) break
      waitingHead += 1
      if (!entry.settled) send(entry, next)
    }
    skipSettled()
  }

  return {
    get messages() {
      return messages
    },
    get bytes() {
      return bytes
    },
    pump,
    stateChanged(broker) {
      if (broker.state === 'down' && broker === flight?.broker) endFlight()
    },
    add(channel, message) {
      if (messages + 1 > options.maxMessages || bytes + message.bytes > options.maxBytes) {
        const words = `${messages} messages (${bytes} bytes) already wait to be sent: publish more slowly`
        options.onFailed(
          new PubSubError('queue_full', words, { channel, limit: options.maxBytes, actual: bytes }),
        )
        return Promise.resolve(false)
      }
      order += 1
      messages += 1
      bytes += message.bytes
      const now = performance.now()
      const outcome = new Promise<boolean>(keepSettling)
      const numbered = outgoing?.number(channel, now)
      // Written out, because `...message` made this five times slower.
      const entry: Entry = {
        text: message.text,
        bytes: message.bytes,
        numbered,
        sequence: numbered?.last ?? 0,
        order,
        channel,
        expires: now + publishTimeout,
        settled: false,
        flight: undefined,
        resolve: resolveNext,
        reject: rejectNext,
      }
      unsettled.push(entry)
      if (messages === 1) armTimer()
      const next = waiting.length === 0 && returned.length === 0 ? nextFlight() : undefined
      if (next === undefined) waiting.push(entry)
      else send(entry, next)
      return outcome
    },
    async flush(deadline) {
      if (messages > 0) {
        const empty = new Promise<void>((resolve) => {
          onEmpty = resolve
        })
        await settledWithin(empty, deadline)
        for (const entry of unsettled.slice(unsettledHead)) fail(entry, timeoutError(entry))
      }
      clearTimeout(timer)
      stall?.close()
    },
  }
}
