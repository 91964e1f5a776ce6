import { waitFor } from '@ps/services/vitest'
import { type FleetProcess, startFleetProcess } from './fleet-process.js'

/** What a publisher says of itself: the next sequence of each channel, and what it was refused. */
interface Published {
  readonly next: readonly number[]
  readonly refused: number
  readonly backend: string
}

/** What a listener says of itself. `holes` are the sequences, from and to, that it has not heard between others. */
interface Heard {
  readonly streams: Readonly<
    Record<
      string,
      { readonly first: number; readonly next: number; readonly holes: readonly [number, number][] }
    >
  >
  /** What was doubled, out of order, damaged, or told as a gap. */
  readonly troubles: readonly string[]
}

interface Publisher {
  readonly name: string
  readonly process: FleetProcess<Published>
}

interface Listener {
  readonly name: string
  readonly process: FleetProcess<Heard>
  /** From which sequence on it must hear a stream; those that began while it listened from their beginning. */
  readonly from: ReadonlyMap<string, number>
}

/** Publishers and listeners in processes of their own, which are restarted one by one while messages flow. */
export interface Fleet {
  /** Restarts every process with `variables`, one after another, publishers and listeners by turns. */
  restartEach(variables: Readonly<Record<string, string>>, first: 'publishers' | 'listeners'): Promise<void>
  /** The backends that the publishers publish on now. */
  backends(): Promise<readonly string[]>
  /** Ends it in order. Returns all that was lost, doubled, out of order, damaged, refused or told as a gap. */
  finish(): Promise<readonly string[]>
  /** Ends what still runs. */
  kill(): void
}

const publishingProgram = new URL('publishing-program.mjs', import.meta.url)
const listeningProgram = new URL('listening-program.mjs', import.meta.url)
const channels = 3
/** How many messages on each channel must flow between one restart and the next. */
const flow = 20

const streamOf = (publisher: string, channel: number): string => `${publisher} on ${channel}`

/** Starts `size` publishers and as many listeners with `shared` and `variables` in their environment. */
export async function startFleet(
  size: number,
  shared: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
): Promise<Fleet> {
  const publishers: Publisher[] = []
  const listeners: Listener[] = []
  const troubles: string[] = []
  let lives = 0

  const marks = (of: readonly Publisher[] = publishers): Promise<{ name: string; mark: Published }[]> =>
    Promise.all(of.map(async ({ name, process }) => ({ name, mark: await process.ask('report') })))

  /** Until the listeners have heard all that had been published when the publisher said so. */
  const untilHeard = async (
    by: readonly Listener[],
    publisher: string,
    { next }: Published,
  ): Promise<void> => {
    for (const { name, process } of by) {
      const hasHeardAll = async (): Promise<boolean> => {
        const { streams } = await process.ask('report')
        return next.every((end, channel) => (streams[streamOf(publisher, channel)]?.next ?? 0) >= end)
      }
      await waitFor(hasHeardAll, { what: `${name} to hear ${publisher} up to ${next.join(', ')}` })
    }
  }

  const judge = ({ name, from }: Listener, { streams, troubles: own }: Heard): void => {
    troubles.push(...own.map((trouble) => `${name}: ${trouble}`))
    for (const [stream, { first, holes }] of Object.entries(streams)) {
      const since = from.get(stream) ?? 0
      if (first > since) troubles.push(`${name}: ${stream}: ${since} to ${first - 1} are lost`)
      for (const [begin, end] of holes) {
        if (end >= since) troubles.push(`${name}: ${stream}: ${Math.max(begin, since)} to ${end} are lost`)
      }
    }
  }

  const startPublisher = async (place: number, more: Readonly<Record<string, string>>): Promise<void> => {
    lives += 1
    const name = `publisher ${place}, life ${lives}`
    const given = [name, String(channels)]
    const process = await startFleetProcess<Published>(publishingProgram, given, {
      ...shared,
      ...more,
    })
    publishers[place] = { name, process }
  }

  const startListener = async (place: number, more: Readonly<Record<string, string>>): Promise<void> => {
    lives += 1
    const name = `listener ${place}, life ${lives}`
    const given = [String(channels), name]
    const process = await startFleetProcess<Heard>(listeningProgram, given, { ...shared, ...more })
    // Asked after `listen` has resolved: what has a later number is published while it listens.
    const from = (await marks()).flatMap(({ name: publisher, mark }) =>
      mark.next.map((next, channel) => [streamOf(publisher, channel), next] as const),
    )
    listeners[place] = { name, process, from: new Map(from) }
  }

  const endPublisher = async ({ name, process }: Publisher): Promise<void> => {
    const mark = await process.close()
    if (mark.refused > 0) troubles.push(`${name}: ${mark.refused} publishes were not accepted`)
    await untilHeard(listeners, name, mark)
  }

  const endListener = async (listener: Listener): Promise<void> => {
    for (const { name, mark } of await marks()) await untilHeard([listener], name, mark)
    judge(listener, await listener.process.close())
  }

  /** Until all have heard some more of all. */
  const untilFlowing = async (): Promise<void> => {
    for (const publisher of publishers) {
      const { next: before } = await publisher.process.ask('report')
      const mark = await waitFor(
        async () => {
          const now = await publisher.process.ask('report')
          return now.next.every((next, channel) => next >= (before[channel] ?? 0) + flow) && now
        },
        { what: `${publisher.name} to publish` },
      )
      await untilHeard(listeners, publisher.name, mark)
    }
  }

  const kill = (): void => {
    for (const { process } of [...publishers, ...listeners]) process.kill()
  }

  try {
    for (let place = 0; place < size; place += 1) await startListener(place, variables)
    for (let place = 0; place < size; place += 1) await startPublisher(place, variables)
    await untilFlowing()
  } catch (error) {
    kill()
    throw error
  }

  return {
    async restartEach(more, first) {
      const restartPublisher = async (place: number, publisher: Publisher): Promise<void> => {
        await endPublisher(publisher)
        await startPublisher(place, more)
        await untilFlowing()
      }
      const restartListener = async (place: number, listener: Listener): Promise<void> => {
        await endListener(listener)
        await startListener(place, more)
        await untilFlowing()
      }
      for (let place = 0; place < size; place += 1) {
        const [publisher, listener] = [publishers[place], listeners[place]]
        if (publisher === undefined || listener === undefined) throw new Error(`nobody is in place ${place}`)
        if (first === 'publishers') await restartPublisher(place, publisher)
        await restartListener(place, listener)
        if (first === 'listeners') await restartPublisher(place, publisher)
      }
    },
    backends: async () => (await marks()).map(({ mark }) => mark.backend),
    async finish() {
      for (const publisher of publishers) await endPublisher(publisher)
      // A listener that ends asks those that still publish.
      publishers.length = 0
      for (const listener of listeners) await endListener(listener)
      return troubles
    },
    kill,
  }
}
