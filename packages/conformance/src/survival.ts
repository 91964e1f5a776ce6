import type { Backend, Settings } from '@ps/core'
import { judgeDelivery, type Verdict } from './judge-delivery.js'
import { until } from './until.js'
import { type Heard, type WatchedClient, watchClient } from './watched-client.js'

/** What goes through a fault, and what must have come of it. */
export interface SurvivalOptions {
  /** Makes a backend whose broker, or whose way to it, is struck by the fault. */
  create(): Backend | Promise<Backend>
  /** Makes a backend of the same broker that the fault does not concern. Default: there is none. */
  readonly createBystander?: (() => Backend | Promise<Backend>) | undefined
  /** Does the harm. Resolves when it is over: when messages can move again. */
  fault(traffic: Traffic): Promise<void>
  /** How many gaps each listener concerned is told. Default: exactly one. */
  readonly gaps?: { readonly atLeast: number; readonly atMost: number } | undefined
  /** How many publishes are under way at once. Default: 20. */
  readonly parallel?: number | undefined
  /** Ends the publishing after so many messages. Default: it ends when the fault is over. */
  readonly total?: number | undefined
  readonly settings?: Settings | undefined
  /** Nothing is waited for longer than this, in milliseconds. Default: 20,000. */
  readonly patience?: number | undefined
}

/** Messages that are published while the fault strikes. */
export interface Traffic {
  /** The clients that publish and listen on the way that is struck. */
  readonly publisher: WatchedClient
  readonly listener: WatchedClient
  /** How many publishes have resolved `true`. */
  readonly accepted: number
  /** Resolves once `count` more publishes have resolved `true`. */
  flow(count: number): Promise<void>
  /** Resolves once both clients have noticed that something is wrong. */
  noticed(): Promise<void>
  /** Resolves once both clients are ready. */
  recovered(): Promise<void>
}

export interface Survival {
  readonly accepted: number
  readonly refused: number
  readonly lostWithGap: number
}

interface Message {
  readonly sequence: number
  readonly padding: string
}

interface Witness {
  readonly what: string
  readonly heard: Heard
  readonly lane: Lane
  /** Whether it listened on the way that was struck, when it was struck. */
  readonly isConcerned: boolean
  /** The first message that was published after it had begun to listen. */
  readonly owedFrom: number
}

/** One channel and what was published on it. */
interface Lane {
  readonly channel: string
  readonly publisher: WatchedClient
  readonly accepted: Set<number>
  next: number
}

// Every tenth message does not fit one NOTIFY, so that parts are cut in the middle, too.
const padding = (sequence: number): string => 'x'.repeat(sequence % 10 === 0 ? 9_000 : (sequence * 37) % 400)

/**
 * Publishes and listens through a fault, and rejects unless: every publish settles; nothing that was acknowledged is
 * missing without a gap in its place; nothing is doubled or out of order; each listener concerned is told as many gaps as
 * it should be and no other is told any; a listener that has left hears nothing; and the same clients work afterwards.
 */
export async function expectSurvival(options: SurvivalOptions): Promise<Survival> {
  const { patience = 20_000, settings = {} } = options
  const clients: WatchedClient[] = []
  const open = async (create: () => Backend | Promise<Backend>): Promise<WatchedClient> => {
    const client = await watchClient(await create(), { settings, patience })
    clients.push(client)
    return client
  }
  try {
    const survival = await run(options, open, patience)
    // What still runs then would be a promise that hangs or a callback without an end.
    await until(
      () => Promise.all(clients.map((client) => client.finish())).then(() => true),
      'the clients close',
      patience,
    )
    return survival
  } finally {
    await Promise.allSettled(clients.map((client) => client.finish()))
  }
}

async function run(
  { create, createBystander, fault, gaps, parallel = 20, total }: SurvivalOptions,
  open: (create: () => Backend | Promise<Backend>) => Promise<WatchedClient>,
  patience: number,
): Promise<Survival> {
  const identity = crypto.randomUUID().slice(0, 13)
  const [publisher, listener] = [await open(create), await open(create)]
  const bystander = createBystander && (await open(createBystander))
  const lane = (name: string, from: WatchedClient): Lane => ({
    channel: `${name}-${identity}`,
    publisher: from,
    accepted: new Set(),
    next: 0,
  })
  const lanes = [lane('first', publisher), lane('second', publisher)] as const
  const apart = bystander && lane('apart', bystander)
  const witnesses: Witness[] = []
  const witness = async (what: string, by: WatchedClient, on: Lane, isConcerned: boolean): Promise<Heard> => {
    const heard = await by.hear(on.channel)
    witnesses.push({ what, heard, lane: on, isConcerned, owedFrom: on.next })
    return heard
  }
  await witness('the first listener', listener, lanes[0], true)
  await witness('its sibling', listener, lanes[0], true)
  await witness('the listener of another channel', listener, lanes[1], true)
  if (bystander && apart) await witness('the bystander', bystander, apart, false)
  const left = await listener.hear(lanes[0].channel)
  await left.subscription.unsubscribe()

  let accepted = 0
  let refused = 0
  const stopping = new AbortController()
  const publish = async (on: Lane): Promise<boolean> => {
    const sequence = on.next
    on.next += 1
    const message: Message = { sequence, padding: padding(sequence) }
    const taken = await on.publisher.client.publish(on.channel, message)
    if (taken) {
      on.accepted.add(sequence)
      accepted += 1
    } else refused += 1
    return taken
  }
  const loop = async (on: Lane): Promise<void> => {
    const isComplete = (): boolean => total !== undefined && lanes[0].next + lanes[1].next >= total
    while (!stopping.signal.aborted && !isComplete()) {
      await publish(on)
      // Also where the publish was refused in the same turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const all = [...lanes, ...(apart === undefined ? [] : [apart])]
  const loops = all.flatMap((on) => Array.from({ length: Math.ceil(parallel / all.length) }, () => loop(on)))
  const waitFor = (condition: () => boolean | Promise<boolean>, what: string): Promise<void> =>
    until(condition, what, patience)

  const traffic: Traffic = {
    publisher,
    listener,
    get accepted() {
      return accepted
    },
    flow(count) {
      const enough = accepted + count
      return waitFor(() => accepted >= enough, `${count} more publishes are accepted`)
    },
    async noticed() {
      // By what they have told: a `health()` that is given up proves only that it takes long.
      for (const { states } of [publisher, listener])
        await waitFor(() => states.at(-1)?.state === 'down', 'the fault is noticed')
    },
    async recovered() {
      for (const client of [publisher, listener]) await client.ready()
    },
  }
  let failure: unknown
  try {
    await traffic.flow(2 * parallel)
    await fault(traffic)
    await traffic.recovered()
    await traffic.flow(total === undefined ? 2 * parallel : 0)
  } catch (error) {
    failure = error
  }
  if (total === undefined || failure !== undefined) stopping.abort()
  let running = loops.length
  for (const one of loops) void one.then(() => (running -= 1))
  await waitFor(() => running === 0, `${running} publishes that have not settled settle`)
  if (failure !== undefined) throw failure

  await witness('a listener that came after', listener, lanes[1], false)
  for (const on of all) {
    let end = -1
    const takeLast = async (): Promise<boolean> => {
      end = on.next
      return publish(on)
    }
    await waitFor(takeLast, 'a message is accepted after the fault')
    for (const { what, heard, lane: theirs } of witnesses) {
      if (theirs !== on) continue
      const arrived = (): boolean => sequenceOf(heard.messages.at(-1)) === end
      await waitFor(arrived, `${what} hears the last message`)
    }
  }
  const lostWithGap = witnesses.reduce((sum, one) => sum + judge(one, gaps), 0)
  if (left.events.length > 0) throw new Error('a listener that had left before was called')
  return { accepted, refused, lostWithGap }
}

const sequenceOf = (message: unknown): number | undefined =>
  typeof message === 'object' && message !== null && 'sequence' in message
    ? Number(message.sequence)
    : undefined

/** Throws what a listener has to complain of. Returns how many messages it was told to have missed. */
function judge(
  { what, heard, lane, isConcerned, owedFrom }: Witness,
  { atLeast, atMost } = { atLeast: 1, atMost: 1 },
): number {
  const delivery = heard.events.map((event) => ('gap' in event ? 'gap' : (sequenceOf(event.message) ?? -1)))
  const owed = Array.from(lane.accepted).filter((sequence) => sequence >= owedFrom)
  const verdict: Verdict = judgeDelivery(delivery, owed)
  const complaints = (['lostSilently', 'doubled', 'outOfOrder'] as const).flatMap((fault) =>
    verdict[fault].length === 0
      ? []
      : [`${fault}: ${verdict[fault].length} (${verdict[fault].slice(0, 5).join(', ')} …)`],
  )
  const told = heard.gaps.length
  const [least, most] = isConcerned ? [atLeast, atMost] : [0, 0]
  if (told < least || told > most)
    complaints.push(`gaps told: ${told}, expected ${least === most ? least : `${least} to ${most}`}`)
  if (complaints.length > 0)
    throw new Error(`${what} of ${lane.accepted.size} accepted messages: ${complaints.join('; ')}`)
  return verdict.lostWithGap.length
}
