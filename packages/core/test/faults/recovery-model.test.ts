import { propertyRuns } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type BackendModule, type Client, createClient, type Gap, silentLogger } from '../../src/index.js'
import { controlChannel } from '../../src/recovery/control-channel.js'
import { decodeControlMessage } from '../../src/recovery/control-message.js'
import { createOriginReader } from '../../src/recovery/origin.js'
import { createSimulatedBroker, type SimulatedBroker } from './simulated-broker.js'

fc.configureGlobal(propertyRuns)

const channels = ['a', 'b'] as const
/** The first two publish, the others listen. */
const names = ['publisher-1', 'publisher-2', 'listener-1', 'listener-2'] as const
const publishers = names.slice(0, 2)
const listeners = names.slice(2)

const brokers = fc.nat(1)
const milliseconds = fc.oneof(fc.nat(30), fc.nat(1_500), fc.nat(7_000))
const link = { broker: brokers, client: fc.constantFrom(...names), milliseconds }

const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('publish'),
      client: fc.constantFrom(...publishers),
      channel: fc.constantFrom(...channels),
      size: fc.nat(60),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('wait'), milliseconds }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('goDown'), broker: brokers, milliseconds }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('freeze'), broker: brokers, milliseconds }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('cut'),
      kind: fc.constantFrom('both', 'publishing', 'listening'),
      ...link,
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('freezeLink'), ...link }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delay'), by: fc.nat(1_500), ...link }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('lose'),
      after: fc.nat(2),
      count: fc.integer({ min: 1, max: 3 }),
      broker: brokers,
      client: fc.constantFrom(...names),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('double'),
      count: fc.integer({ min: 1, max: 5 }),
      ...link,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('crash', 'close'),
      client: fc.constantFrom(...publishers),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('listen', 'leave', 'listenAgain'),
      client: fc.constantFrom(...listeners),
      channel: fc.constantFrom(...channels),
    }),
  },
)
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never

interface Published {
  readonly publisher: string
  readonly channel: string
  /** Its sequence: the place among those of its publisher and channel. */
  readonly sequence: number
  readonly at: number
  readonly order: number
  settledAt?: number
  accepted?: boolean
}

interface Message {
  readonly publisher: string
  readonly sequence: number
}

/** One listener of one channel, and what it was told, in order. */
interface Session {
  readonly client: string
  readonly channel: string
  readonly enteredAt: number
  /** When `listen` resolved, and by the count of publishes. */
  liveAt: number
  liveSince: number
  isOver: boolean
  readonly leaving: AbortController
  readonly told: ({ readonly at: number } & (Message | { readonly gap: Gap }))[]
}

/** A heartbeat or a message: what a listening client learnt from the wire of a publisher and channel. */
interface Word {
  readonly client: string
  readonly publisher: string
  readonly channel: string
  readonly at: number
  readonly isMessage: boolean
  /** The last of the stream that is known then to be decided, and to have been given. */
  readonly decided: number
  readonly last: number
}

/** Arbitrary numbers from 0 to below 1 (mulberry32). */
function createChance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Settings {
  readonly seed: number
  readonly packing: boolean
  readonly publishTimeout: number
  readonly maxKeptBytes: number
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Several clients over two brokers, and a record of all that they say and hear. */
async function openWorld({ seed, ...settings }: Settings) {
  const chance = createChance(seed)
  const lostControls: { readonly client: string; readonly at: number }[] = []
  const simulated: readonly SimulatedBroker[] = ['first', 'second'].map((name) =>
    createSimulatedBroker(name, {
      chance,
      onLost(client, channel) {
        if (channel === controlChannel) lostControls.push({ client, at: Date.now() })
      },
    }),
  )
  const clients = new Map<string, Client<Record<string, Message>>>()
  const ids = new Map<string, string>()
  const ended = new Map<string, { readonly how: 'crash' | 'close'; readonly at: number }>()
  const published: Published[] = []
  const sessions: Session[] = []
  const words: Word[] = []
  const interruptions: { readonly client: string; readonly at: number }[] = []
  // When a publisher had no way to a listener or a broker, by both names.
  const outages = new Map<string, { readonly from: number; to: number }[]>()
  const faults: NodeJS.Timeout[] = []
  const closing: Promise<void>[] = []

  const readOrigin = createOriginReader()
  const record = (client: string, channel: string, payload: string): void => {
    const at = Date.now()
    if (channel === controlChannel) {
      const message = decodeControlMessage(payload)
      if (message?.kind !== 'heartbeat') return
      for (const [name, decided, last] of message.progress)
        words.push({
          client,
          publisher: message.publisher,
          channel: name,
          at,
          isMessage: false,
          decided,
          last,
        })
      return
    }
    const origin = readOrigin(payload)
    if (origin === undefined) return
    const { publisher, sequence, count } = origin
    const last = sequence + count - 1
    words.push({ client, publisher, channel, at, isMessage: true, decided: last, last })
  }

  const recorded = (client: string, broker: SimulatedBroker) => (): BackendModule => ({
    createBackend(options) {
      const backend = broker.module(client).createBackend(options)
      return {
        ...backend,
        start: (events) =>
          backend.start({
            ...events,
            message(channel, payload) {
              record(client, channel, payload)
              events.message(channel, payload)
            },
            gap(reason) {
              interruptions.push({ client, at: Date.now() })
              events.gap(reason)
            },
          }),
      }
    },
  })

  const watchWay = (way: string, isOpen: boolean): void => {
    const known = outages.get(way) ?? []
    outages.set(way, known)
    const last = known.at(-1)
    if (!isOpen && last?.to !== Number.POSITIVE_INFINITY)
      known.push({ from: Date.now(), to: Number.POSITIVE_INFINITY })
    else if (isOpen && last?.to === Number.POSITIVE_INFINITY) last.to = Date.now()
  }

  const watchWays = (): void => {
    for (const publisher of publishers) {
      const open = simulated.filter((broker) => broker.link(publisher).isFlowing)
      for (const broker of simulated) watchWay(`${publisher} ${broker.name}`, open.includes(broker))
      for (const listener of listeners) {
        const isOpen = open.some((broker) => broker.link(listener).isFlowing)
        watchWay(`${publisher} ${listener}`, isOpen)
      }
    }
  }

  /** One timer after the other, each with all that follows from it, as in a process. */
  const advance = async (time: number): Promise<void> => {
    await turn()
    const until = Date.now() + time
    const end = setTimeout(() => {}, time)
    while (Date.now() < until) {
      vi.advanceTimersToNextTimer()
      await turn()
      watchWays()
    }
    clearTimeout(end)
  }

  const [first, second] = simulated
  if (first === undefined || second === undefined) throw new Error('there are two brokers')
  const opening = names.map(async (name) => {
    const client = await createClient<Record<string, Message>>({
      backend: 'first',
      fallback: 'second',
      backends: { first: recorded(name, first), second: recorded(name, second) },
      environment: {},
      log: silentLogger,
      ...settings,
    })
    clients.set(name, client)
    ids.set(name, (await client.health()).recovery?.publisher ?? '')
  })
  // Recovery is a module that is loaded at the first client, which takes a while that is none of this clock's.
  while (ids.size < names.length) await advance(10)
  await Promise.all(opening)

  const clientOf = (name: string): Client<Record<string, Message>> => {
    const client = clients.get(name)
    if (client === undefined) throw new Error(`no client ${name}`)
    return client
  }

  const publish = (publisher: string, channel: string, size: number): void => {
    if (ended.has(publisher)) return
    const sequence =
      published.filter((one) => one.publisher === publisher && one.channel === channel).length + 1
    const one: Published = { publisher, channel, sequence, at: Date.now(), order: published.length }
    published.push(one)
    const message = { publisher, sequence, rest: '.'.repeat(size) }
    void clientOf(publisher)
      .publish(channel, message)
      .then((accepted) => {
        if (ended.get(publisher)?.how === 'crash') return
        one.accepted = accepted
        one.settledAt = Date.now()
      })
  }

  const findSession = (client: string, channel: string): Session | undefined =>
    sessions.find((one) => one.client === client && one.channel === channel && !one.isOver)

  const leave = (client: string, channel: string): void => {
    const session = findSession(client, channel)
    if (session === undefined) return
    session.isOver = true
    session.leaving.abort()
  }

  const listen = (client: string, channel: string): void => {
    if (findSession(client, channel) !== undefined) return
    const session: Session = {
      client,
      channel,
      enteredAt: Date.now(),
      liveAt: Number.POSITIVE_INFINITY,
      liveSince: Number.POSITIVE_INFINITY,
      isOver: false,
      leaving: new AbortController(),
      told: [],
    }
    sessions.push(session)
    void clientOf(client)
      .listen(
        channel,
        ({ publisher, sequence }: Message) => void session.told.push({ publisher, sequence, at: Date.now() }),
        {
          signal: session.leaving.signal,
          onGap: (gap) => void session.told.push({ gap, at: Date.now() }),
        },
      )
      .then(
        () => {
          session.liveAt = Date.now()
          session.liveSince = published.length
        },
        (error: unknown) => {
          if (!session.isOver) throw error
        },
      )
  }

  const end = (client: string, how: 'crash' | 'close'): void => {
    if (ended.has(client)) return
    ended.set(client, { how, at: Date.now() })
    if (how === 'crash') for (const broker of simulated) broker.link(client).kill()
    closing.push(clientOf(client).close())
  }

  const later = (milliseconds: number, undo: () => void): void => {
    faults.push(setTimeout(undo, milliseconds))
  }

  const brokerAt = (index: number): SimulatedBroker => (index === 0 ? first : second)

  const run = async (one: Action): Promise<void> => {
    switch (one.type) {
      case 'publish':
        for (let count = 0; count < one.count; count += 1) publish(one.client, one.channel, one.size)
        return
      case 'wait':
        return advance(one.milliseconds)
      case 'goDown': {
        const broker = brokerAt(one.broker)
        broker.goDown()
        return later(one.milliseconds, broker.comeBack)
      }
      case 'freeze': {
        const broker = brokerAt(one.broker)
        broker.freeze()
        return later(one.milliseconds, broker.thaw)
      }
      case 'cut':
        return brokerAt(one.broker).link(one.client).cut(one.kind, one.milliseconds)
      case 'freezeLink': {
        const link = brokerAt(one.broker).link(one.client)
        link.freeze()
        return later(one.milliseconds, link.thaw)
      }
      case 'delay': {
        const link = brokerAt(one.broker).link(one.client)
        link.delay(one.by)
        return later(one.milliseconds, () => link.delay(1))
      }
      case 'lose':
        return brokerAt(one.broker).link(one.client).lose(one.after, one.count)
      case 'double':
        return brokerAt(one.broker).link(one.client).double(one.count, one.milliseconds)
      case 'crash':
      case 'close':
        return end(one.client, one.type)
      case 'listen':
        return listen(one.client, one.channel)
      case 'leave':
        return leave(one.client, one.channel)
      case 'listenAgain':
        leave(one.client, one.channel)
        return listen(one.client, one.channel)
    }
  }

  return {
    published,
    sessions,
    words,
    interruptions,
    lostControls,
    outages,
    ids,
    ended,
    advance,
    run,
    listen,
    /** Nothing is wrong any more. */
    heal() {
      for (const fault of faults) clearTimeout(fault)
      for (const broker of simulated) {
        broker.comeBack()
        broker.thaw()
        for (const name of names) {
          const link = broker.link(name)
          link.thaw()
          link.delay(1)
          link.lose(0, 0)
          link.double(0, 0)
        }
      }
    },
    async held(): Promise<number[]> {
      const health = await Promise.all(listeners.map((name) => clientOf(name).health()))
      return health.map(({ recovery }) => recovery?.heldBytes ?? -1)
    },
    async close(): Promise<void> {
      const all = Promise.all([...closing, ...[...clients.values()].map((client) => client.close())])
      await advance(15_000)
      await all
    },
  }
}

type World = Awaited<ReturnType<typeof openWorld>>

/** For how long a publisher has no way to a listener before what is missing may be given up, in milliseconds. */
const excusedOutage = 1_700
/** For how long before a gap is told such a time may have ended. */
const excusedBefore = 6_500

/** What a listener was told is what it should have been told. */
function audit(world: World, session: Session, publisher: string, settings: Settings): void {
  const { client, channel, told, liveAt, liveSince, enteredAt } = session
  const where = `${client} on ${channel} of ${publisher}`
  const id = world.ids.get(publisher)
  const end = world.ended.get(publisher)
  const published = world.published.filter((one) => one.publisher === publisher && one.channel === channel)
  const heard = told.flatMap((one) =>
    'sequence' in one && one.publisher === publisher ? [one.sequence] : [],
  )
  const isHeard = new Set(heard)

  // Each at most once, in order, and only what was published.
  for (const [index, sequence] of heard.entries()) {
    expect(sequence, `${where}: order`).toBeGreaterThan(heard[index - 1] ?? 0)
    expect(sequence, `${where}: published`).toBeLessThanOrEqual(published.length)
  }

  // What was under way when it left is nobody's.
  if (session.isOver) return

  const gaps = told.filter((one) => 'gap' in one && one.gap.publisher === id)
  const words = world.words.filter(
    (one) => one.client === client && one.channel === channel && one.publisher === id && one.at >= enteredAt,
  )
  const firstWord = words[0]
  const missing = published.filter((one) => one.accepted === true && !isHeard.has(one.sequence))
  for (const { sequence, order, at } of missing) {
    if (order < liveSince) continue
    const before = told.findLastIndex(
      (one) => 'sequence' in one && one.publisher === publisher && one.sequence < sequence,
    )
    const after = told.findIndex(
      (one) => 'sequence' in one && one.publisher === publisher && one.sequence > sequence,
    )
    const place = told.slice(before + 1, after === -1 ? undefined : after)
    if (place.some((one) => 'gap' in one && one.gap.publisher === id)) continue
    // Nobody can know of one that was never heard of, and is no more.
    if (firstWord === undefined && end !== undefined) continue
    // In the first two seconds a publisher that was there before, or began half a second later, is taken to have published
    // nothing in between; and so is one of which a message comes first, where it does not say more.
    const wasThere = (published[0]?.at ?? 0) <= liveAt + 500
    const isFirstMoment = firstWord !== undefined && firstWord.at < liveAt + 2_000
    if (
      isFirstMoment &&
      sequence <= firstWord.last &&
      (wasThere || (firstWord.isMessage && end !== undefined))
    )
      continue
    // What was lost in silence, when who could say so is no more.
    const isKnown = words.some(({ decided }) => decided >= sequence)
    const wasInterrupted = world.interruptions.some((one) => one.client === client && one.at >= at)
    if (end?.how === 'crash' && !isKnown && !wasInterrupted) continue
    expect.fail(`${where}: ${sequence} is missing in silence`)
  }

  if (missing.some(({ at }) => at >= enteredAt)) return
  if (settings.maxKeptBytes < 1_000) return
  for (const { at, ...gap } of gaps) {
    if (end?.how === 'crash' && at >= end.at) continue
    const outages = world.outages.get(`${publisher} ${client}`) ?? []
    const isExcused =
      outages.some(
        ({ from, to }) => to >= at - excusedBefore && from < at && Math.min(to, at) - from >= excusedOutage,
      ) ||
      world.lostControls.some(
        (one) => (one.client === publisher || one.client === client) && Math.abs(at - one.at) < excusedBefore,
      )
    expect(isExcused, `${where}: told a gap where nothing is missing: ${JSON.stringify(gap)}`).toBe(true)
  }
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

it('whatever happens to two brokers, each listener hears each accepted message once and in order, or is told', async () => {
  const settings = fc.record({
    seed: fc.noShrink(fc.nat()),
    packing: fc.boolean(),
    publishTimeout: fc.constantFrom(5_000, 1_500, 300),
    // More than is published in a run, or less.
    maxKeptBytes: fc.oneof(
      { weight: 4, arbitrary: fc.constant(64 * 1024) },
      { weight: 1, arbitrary: fc.constant(400) },
    ),
  })
  await fc.assert(
    fc.asyncProperty(settings, fc.array(action, { minLength: 5, maxLength: 25 }), async (given, actions) => {
      vi.setSystemTime(1_800_000_000_000)
      const world = await openWorld(given)
      for (const channel of channels) world.listen('listener-1', channel)
      await world.advance(10)
      for (const one of actions) await world.run(one)
      world.heal()
      await world.advance(15_000)
      const held = await world.held()
      await world.close()
      try {
        for (const one of world.published) {
          if (world.ended.get(one.publisher)?.how === 'crash') continue
          expect(one.accepted, 'settled').toBeDefined()
          const until = one.at + given.publishTimeout
          expect(one.settledAt, 'settled in time').toBeLessThanOrEqual(until + 1)
          if (one.accepted || given.publishTimeout < 5_000 || world.ended.has(one.publisher)) continue
          const isOneUp = ['first', 'second'].some((broker) => {
            const outages = world.outages.get(`${one.publisher} ${broker}`) ?? []
            return outages.every(({ from, to }) => to < one.at || from > until)
          })
          expect(isOneUp, 'not accepted although a broker took messages all the time').toBe(false)
        }
        for (const session of world.sessions) {
          if (!session.isOver) expect(session.liveSince).toBeLessThan(Number.POSITIVE_INFINITY)
          for (const one of session.told) if ('gap' in one) expect(one.gap.publisher).toBeDefined()
          for (const publisher of publishers) audit(world, session, publisher, given)
        }
        expect(held).toEqual([0, 0])
        expect(vi.getTimerCount()).toBe(0)
      } finally {
        vi.clearAllTimers()
      }
    }),
    { numRuns: 10_000 },
  )
}, 900_000)
