import type { Gap } from '../client.js'
import {
  type Heartbeat,
  inPieces,
  type Question,
  type Range,
  type Refusal,
  type Request,
} from './control-message.js'
import type { Origin } from './origin.js'
import { createStream, type Stream, tickMilliseconds } from './stream.js'

/** The bytes of messages that came too early that are held back where nothing else is said: 8 MiB. */
export const maxHeldBytes = 8 * 1024 * 1024

/** For how long a publisher that is busy may be silent before it is asked, and before it counts as lost, in ticks. */
const ticksToAsk = 10
const ticksToLose = 40
/**
 * Who publishes on a channel answers a new listener within this time, in milliseconds. Who was there before and is heard of
 * in it first, is taken to have published nothing in between; later that would be odd.
 */
const answerMilliseconds = 2_000
/**
 * A heartbeat is on its way for less than this, in milliseconds, where nothing is wrong. So a new listener knows only of a publisher that
 * seems to have begun so much later than it listens that it has not published before.
 */
const wayMilliseconds = 500
/** How long a publisher that has closed, or is lost, is remembered, in milliseconds: its messages may still be under way. */
const forgetAfter = 5 * 60_000
/** The most publishers that are remembered, and of which is remembered that they were forgotten. */
const maxPublishers = 10_000

export interface IncomingOptions {
  /** This client's id. */
  readonly client: string
  readonly maxHeldBytes: number
  /** Hands on a message, or a pack without its first `skip` messages. */
  readonly deliver: (channel: string, text: string, skip: number) => void
  readonly gap: (gap: Gap) => void
  readonly ask: (question: Question) => void
  readonly request: (request: Request) => void
  /** Whether any broker is up: without one nobody can answer, and time does not count. */
  readonly isConnected: () => boolean
}

/** What this client hears from clients that number their messages. */
export interface Incoming {
  /** What is held back now, in bytes. */
  readonly heldBytes: number
  /** Counted since the client was created: what was there before, and what was asked for. */
  readonly doubles: number
  readonly requested: number
  /** A message or pack arrived over a broker. */
  receive(channel: string, origin: Origin, over: string): void
  heartbeat(heartbeat: Heartbeat, over: string): void
  refusal(refusal: Refusal): void
  /** Another client asks for messages again: whoever misses the same need not. */
  overheard(request: Request): void
  /** A channel gets its first listener. */
  entered(channel: string): void
  /** A broker has confirmed a channel: publishers are asked how far they are. */
  confirmed(channel: string): void
  /** A channel has lost its last listener. */
  left(channel: string): void
  /** What was published lately may have been lost on its way to this client: every publisher is asked how far it is. */
  interrupted(): void
  close(): void
}

interface Peer {
  readonly id: string
  /** `busy`: it has published since it was idle, so it must be heard of until it is again. */
  state: Heartbeat['state'] | 'lost'
  wasHeard: boolean
  silentTicks: number
  /** The broker over which it was heard last. */
  over: string
  readonly streams: Map<string, Stream>
  /** When it was heard last while it was busy, in milliseconds of `performance.now()`. */
  heardAt: number
  /** Where it was forgotten although it had not closed: what was heard before this must not be heard again. */
  readonly knownUntil: number | undefined
}

/** Where a stream comes from. */
interface Source {
  readonly peer: Peer
  readonly channel: string
}

export function createIncoming(options: IncomingOptions): Incoming {
  const { client, deliver, gap, isConnected } = options
  // Since when a broker brings it, in milliseconds of `performance.now()`; `undefined` where none has confirmed it yet.
  const channels = new Map<string, number | undefined>()
  // In the order in which they were heard of first.
  const peers = new Map<string, Peer>()
  const busy = new Set<Peer>()
  const stuck = new Map<Stream, Source>()
  // Most messages are of the same publisher and channel as the last.
  let latest: (Source & { readonly stream: Stream }) | undefined
  let newChannels: string[] = []
  let asking: NodeJS.Timeout | undefined
  let timer: NodeJS.Timeout | undefined
  // Those that may be forgotten, the first that became so first, and when, in milliseconds of `performance.now()`.
  const leaving = new Map<Peer, number>()
  // Those that were forgotten and may come back, the first first, and until when all is known of them.
  const forgotten = new Map<string, number>()
  let heldBytes = 0
  let doubles = 0
  let requested = 0

  const hold = (bytes: number): boolean => {
    heldBytes += bytes
    return heldBytes <= options.maxHeldBytes
  }

  const peerOf = (id: string, over: string): Peer => {
    let peer = peers.get(id)
    if (peer === undefined) {
      peer = {
        id,
        state: 'idle',
        wasHeard: true,
        silentTicks: 0,
        over,
        streams: new Map(),
        heardAt: performance.now(),
        knownUntil: forgotten.get(id),
      }
      forgotten.delete(id)
      peers.set(id, peer)
      forgetSome()
    }
    peer.wasHeard = true
    peer.over = over
    return peer
  }

  const enter = (peer: Peer, state: Peer['state']): void => {
    if (peer.state === state) return
    peer.state = state
    busy.delete(peer)
    leaving.delete(peer)
    if (state === 'busy') {
      peer.silentTicks = 0
      busy.add(peer)
      start()
    } else if (state !== 'idle') leaving.set(peer, performance.now())
  }

  const forget = (peer: Peer): void => {
    for (const channel of peer.streams.keys()) drop(peer, channel)
    peers.delete(peer.id)
    busy.delete(peer)
    leaving.delete(peer)
    if (peer.state === 'closed') return
    const heardAt = peer.state === 'idle' ? performance.now() : peer.heardAt
    forgotten.set(peer.id, heardAt)
    for (const oldest of forgotten.keys()) {
      if (forgotten.size <= maxPublishers) break
      forgotten.delete(oldest)
    }
  }

  /** Those that left long ago, and the oldest where there are too many. */
  const forgetSome = (): void => {
    const before = performance.now() - forgetAfter
    for (const [peer, since] of leaving) {
      if (since > before) break
      forget(peer)
    }
    if (peers.size <= maxPublishers) return
    for (const peer of [...leaving.keys(), ...peers.values()].slice(0, 1)) forget(peer)
  }

  const drop = (peer: Peer, channel: string): void => {
    const stream = peer.streams.get(channel)
    if (stream === undefined) return
    if (stream === latest?.stream) latest = undefined
    stream.close()
    stuck.delete(stream)
    peer.streams.delete(channel)
  }

  const open = (peer: Peer, channel: string, first: number | undefined): Stream => {
    const wasYoung = isYoung(channel)
    const stream = createStream(
      {
        deliver: (text, skip) => deliver(channel, text, skip),
        gap: (missed) => {
          // Where its messages begin to concern a new listener only its answers say.
          if (missed === undefined && wasYoung) return
          gap({
            channel,
            publisher: peer.id,
            reason:
              missed === undefined
                ? 'a publisher was heard of late, and what it published before is not known'
                : 'a publisher could not send again what is missing',
            ...(missed !== undefined && { missed }),
          })
        },
        hold,
      },
      first,
    )
    peer.streams.set(channel, stream)
    return stream
  }

  const ageOf = (channel: string): number => {
    const now = performance.now()
    return now - (channels.get(channel) ?? now)
  }
  const isYoung = (channel: string): boolean => ageOf(channel) < answerMilliseconds

  const watch = (stream: Stream, source: Source): void => {
    stuck.set(stream, source)
    start()
  }

  const ask = (names: readonly string[], publisher?: string): void => {
    for (const channels of inPieces(names))
      options.ask({ kind: 'ask', channels, ...(publisher !== undefined && { publisher }) })
  }

  const askPeer = (peer: Peer): void => ask([...peer.streams.keys()], peer.id)

  const start = (): void => {
    if (timer !== undefined) return
    timer = setInterval(tick, tickMilliseconds)
    timer.unref()
  }

  const tick = (): void => {
    if (isConnected()) {
      for (const peer of busy) attend(peer)
      pursue()
    }
    if (busy.size > 0 || stuck.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  /** Sees to it that a busy publisher is heard of. */
  const attend = (peer: Peer): void => {
    if (peer.wasHeard) {
      peer.wasHeard = false
      peer.silentTicks = 0
      peer.heardAt = performance.now()
      return
    }
    peer.silentTicks += 1
    if (peer.silentTicks >= ticksToLose) lose(peer)
    else if (peer.silentTicks % ticksToAsk === 0) askPeer(peer)
  }

  const lose = (peer: Peer): void => {
    enter(peer, 'lost')
    for (const [channel, stream] of peer.streams) {
      if (stream.isStuck) stream.giveUp()
      else if (!stream.isCertain)
        gap({
          channel,
          publisher: peer.id,
          reason: 'a publisher went silent, and what it published last may be missing',
        })
    }
  }

  /** Asks for what is missing. */
  const pursue = (): void => {
    const missing = new Map<Peer, Range[]>()
    const open = new Map<Peer, string[]>()
    for (const [stream, { peer, channel }] of stuck) {
      if (!stream.isStuck) stuck.delete(stream)
      else if (stream.tick()) {
        if (stream.isOpen) listOf(open, peer).push(channel)
        for (const [from, to] of stream.missing()) {
          listOf(missing, peer).push([channel, from, to])
          requested += to - from + 1
        }
      }
    }
    for (const [peer, names] of open) ask(names, peer.id)
    for (const [{ id, over }, ranges] of missing) {
      for (const piece of inPieces(ranges))
        options.request({ kind: 'request', from: client, publisher: id, over, missing: piece })
    }
  }

  /** One question for all channels that were confirmed together. */
  const askSoon = (): void => {
    asking = undefined
    ask([...new Set(newChannels)].filter((channel) => channels.has(channel)))
    newChannels = []
  }

  return {
    get heldBytes() {
      return heldBytes
    },
    get doubles() {
      return doubles
    },
    get requested() {
      return requested
    },
    receive(channel, { publisher, sequence, count, isFirst, text }, over) {
      if (latest === undefined || latest.channel !== channel || latest.peer.id !== publisher) {
        if (!channels.has(channel)) return
        const peer = peerOf(publisher, over)
        let stream = peer.streams.get(channel)
        if (stream === undefined) {
          stream = open(peer, channel, isFirst ? sequence : undefined)
          // A new listener has asked everybody.
          if (stream.isOpen && !isYoung(channel)) ask([channel], publisher)
        }
        latest = { peer, channel, stream }
      }
      const { peer, stream } = latest
      peer.wasHeard = true
      peer.over = over
      if (isFirst && stream.isOpen) stream.begin(sequence - 1)
      const before = stream.receive(sequence, count, text)
      doubles += before
      if (before < count && peer.state !== 'busy') enter(peer, 'busy')
      // Unless a callback has let go of the channel.
      if (stream.isStuck && peer.streams.get(channel) === stream) watch(stream, { peer, channel })
    },
    heartbeat({ publisher, state, progress }, over) {
      // What was said before a broker brings the channel says nothing of what concerns us.
      const heard = progress.filter(([channel]) => channels.get(channel) !== undefined)
      if (heard.length === 0 && !peers.has(publisher)) return
      const peer = peerOf(publisher, over)
      for (const [channel, decided, last, start, age, idle] of heard) {
        const listening = ageOf(channel)
        const unknown = performance.now() - (peer.knownUntil ?? Number.NEGATIVE_INFINITY)
        // What it published shortly before it was heard last may have been lost since.
        const isPast = idle > Math.min(listening, unknown + answerMilliseconds)
        const stream = peer.streams.get(channel) ?? open(peer, channel, isPast ? last + 1 : undefined)
        stream.announce(decided)
        if (stream.isOpen) {
          const way = isYoung(channel) ? wayMilliseconds : 0
          if (age + way <= listening && age <= unknown) stream.begin(start)
          else stream.giveUp(last)
        }
        if (stream.isStuck && peer.streams.get(channel) === stream) watch(stream, { peer, channel })
      }
      enter(peer, state)
    },
    refusal({ publisher, withdrawn, forgotten }) {
      const peer = peers.get(publisher)
      for (const [channel, from, to] of withdrawn) peer?.streams.get(channel)?.gone(from, to, false)
      for (const [channel, from, to] of forgotten) peer?.streams.get(channel)?.gone(from, to, true)
    },
    overheard({ from, publisher, over, missing }) {
      const peer = peers.get(publisher)
      // Over another broker they may not reach this client.
      if (from === client || peer === undefined || peer.over !== over) return
      for (const [channel, first, last] of missing) peer.streams.get(channel)?.overheard(first, last)
    },
    entered(channel) {
      if (!channels.has(channel)) channels.set(channel, undefined)
    },
    confirmed(channel) {
      if (!channels.has(channel)) return
      if (channels.get(channel) === undefined) channels.set(channel, performance.now())
      newChannels.push(channel)
      asking ??= setTimeout(askSoon, 1).unref()
    },
    left(channel) {
      if (!channels.delete(channel)) return
      for (const peer of peers.values()) drop(peer, channel)
    },
    interrupted() {
      for (const peer of peers.values()) {
        for (const stream of peer.streams.values()) stream.doubt()
        if (peer.state === 'idle' && peer.streams.size > 0) {
          peer.wasHeard = false
          enter(peer, 'busy')
        }
      }
      ask([...channels.keys()])
    },
    close() {
      clearInterval(timer)
      clearTimeout(asking)
      for (const peer of peers.values()) forget(peer)
    },
  }
}

function listOf<Key, Item>(lists: Map<Key, Item[]>, key: Key): Item[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}
