import type { Backend, Settings } from '@ps/core'
import { createLane, type Lane, sequenceOf } from './lane.js'
import { until } from './until.js'
import { type WatchedClient, watchClient } from './watched-client.js'
import { type GapRange, judgeWitness, type Witness } from './witness.js'

/** What goes through a fault, and what must have come of it. */
export interface SurvivalOptions {
  /** Makes a backend whose broker, or whose way to it, is struck by the fault. */
  create(): Backend | Promise<Backend>
  /** Makes a backend of the same broker that the fault does not concern. Default: there is none. */
  readonly createBystander?: (() => Backend | Promise<Backend>) | undefined
  /** Does the harm. Resolves when it is over: when messages can move again. */
  fault(traffic: Traffic): Promise<void>
  /** How many gaps each listener concerned is told. Default: exactly one. */
  readonly gaps?: GapRange | undefined
  /** How many publishes are under way at once. Default: 20. */
  readonly parallel?: number | undefined
  /** Ends the publishing after so many messages. Default: it ends when the fault is over. */
  readonly total?: number | undefined
  /** Of all the clients. Default: none. */
  readonly settings?: Settings | undefined
  /** Nothing is waited for longer than this, in milliseconds. Default: 20,000. */
  readonly patience?: number | undefined
}

/** Messages that are published while the fault strikes. */
export interface Traffic {
  /** The clients that publish and listen on the way that is struck. */
  readonly publisher: WatchedClient
  /** The other one. */
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

/** What became of the messages of {@link expectSurvival}. */
export interface Survival {
  /** Publishes that resolved `true`. */
  readonly accepted: number
  /** Publishes that resolved `false`. */
  readonly refused: number
  /** Accepted messages that a listener did not get and was told a gap for. */
  readonly lostWithGap: number
}

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
  const close = async (): Promise<void> => {
    let closed = false
    void Promise.allSettled(clients.map((client) => client.finish())).then(() => (closed = true))
    await until(() => closed, 'the clients close', patience)
  }
  let survival: Survival
  try {
    survival = await run(options, open, patience)
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  await close()
  return survival
}

async function run(
  {
    create,
    createBystander,
    fault,
    gaps = { atLeast: 1, atMost: 1 },
    parallel = 20,
    total = Number.POSITIVE_INFINITY,
  }: SurvivalOptions,
  open: (create: () => Backend | Promise<Backend>) => Promise<WatchedClient>,
  patience: number,
): Promise<Survival> {
  // Publishes that were rejected: nothing that is published here is a caller's fault.
  const rejections: unknown[] = []
  const waitFor = (condition: () => boolean | Promise<boolean>, what: string): Promise<void> => {
    const isReached = (): boolean | Promise<boolean> => {
      if (rejections.length > 0) throw rejections[0]
      return condition()
    }
    return until(isReached, what, patience)
  }
  const identity = crypto.randomUUID().slice(0, 13)
  const [publisher, listener] = [await open(create), await open(create)]
  const first = createLane(`first-${identity}`, publisher)
  const second = createLane(`second-${identity}`, publisher)
  const lanes = [first, second]
  const witnesses: Witness[] = []
  const none: GapRange = { atLeast: 0, atMost: 0 }
  const call = async (what: string, by: WatchedClient, lane: Lane, range: GapRange): Promise<void> => {
    const heard = await by.hear(lane.channel)
    witnesses.push({ what, heard, lane, gaps: range, owedFrom: lane.next })
  }
  await call('the first listener', listener, first, gaps)
  await call('its sibling', listener, first, gaps)
  await call('the listener of another channel', listener, second, gaps)
  const left = await listener.hear(first.channel)
  await left.subscription.unsubscribe()
  if (createBystander !== undefined) {
    const bystander = await open(createBystander)
    const apart = createLane(`apart-${identity}`, bystander)
    lanes.push(apart)
    await call('the bystander', bystander, apart, none)
  }

  const accepted = (): number => lanes.reduce((sum, lane) => sum + lane.accepted.size, 0)
  const stopping = new AbortController()
  const publishOn = async (lane: Lane): Promise<void> => {
    while (!stopping.signal.aborted && first.next + second.next < total) {
      await lane.publish()
      // Also where the publish was refused in the same turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  let running = 0
  for (let index = 0; index < parallel; index += 1) {
    running += 1
    publishOn(lanes[index % lanes.length] ?? first)
      .catch((error: unknown) => rejections.push(error))
      .finally(() => (running -= 1))
  }

  const traffic: Traffic = {
    publisher,
    listener,
    get accepted() {
      return accepted()
    },
    flow(count) {
      const enough = accepted() + count
      return waitFor(() => accepted() >= enough, `${count} more publishes are accepted`)
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
  const isEndless = total === Number.POSITIVE_INFINITY
  try {
    await traffic.flow(2 * parallel)
    await fault(traffic)
    await traffic.recovered()
    if (isEndless) await traffic.flow(2 * parallel)
    else await waitFor(() => running === 0, `${total} messages are published`)
  } finally {
    stopping.abort()
  }
  await waitFor(() => running === 0, 'every publish settles')

  await call('a listener that came after', listener, second, none)
  for (const lane of lanes) {
    let end = -1
    const publishLast = (): Promise<boolean> => {
      end = lane.next
      return lane.publish()
    }
    await waitFor(publishLast, 'a message is accepted after the fault')
    for (const { what, heard } of witnesses.filter((one) => one.lane === lane))
      await waitFor(() => sequenceOf(heard.messages.at(-1)) === end, `${what} hears the last message`)
  }
  if (left.events.length > 0) throw new Error('a listener that had left before was called')
  return {
    accepted: accepted(),
    refused: lanes.reduce((sum, lane) => sum + lane.refused, 0),
    lostWithGap: witnesses.reduce((sum, one) => sum + judgeWitness(one), 0),
  }
}
