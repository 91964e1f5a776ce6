import { withDeadline } from '@ps/services/vitest'
import { afterAll, describe, expect, it } from 'vitest'
import type { Case } from '../../src/case.js'
import { runCase } from '../../src/run-case.js'
import { concerns } from '../../src/test-backend.js'
import { until } from '../../src/until.js'
import { watchClient } from '../../src/watched-client.js'
import { deliveryMutants } from '../mutants/delivery-mutants.js'
import { faultMutants } from '../mutants/fault-mutants.js'
import { clearLeftovers, lifecycleMutants } from '../mutants/lifecycle-mutants.js'
import { listenerMutants } from '../mutants/listener-mutants.js'
import type { Change, Mutant } from '../mutants/mutant.js'
import { memoryWorld, tcpWorld, type World } from '../mutants/world.js'

// Proves that every case of the suite can fail: a sound backend passes it, and the same backend with one change does not.

/** A case that takes longer than this hangs, in milliseconds. */
const deadline = 12_000
/** The sound backend has more, since it must pass on a busy machine as well. */
const soundDeadline = 60_000

const cases = concerns.flatMap(([, all]) => all)
// Those that wait longest come first, so that the others run beside them.
const mutants: readonly Mutant[] = [
  ...faultMutants,
  ...deliveryMutants,
  ...lifecycleMutants,
  ...listenerMutants,
]

const find = (title: string): Case => {
  const [found, ...others] = cases.filter((one) => one.title.startsWith(title))
  if (found === undefined || others.length > 0) throw new Error(`not exactly one case begins "${title}"`)
  return found
}

interface Pair {
  readonly mutant: Mutant
  readonly one: Case
  readonly isOverTcp: boolean
}

const pairs: readonly Pair[] = mutants.flatMap((mutant) =>
  mutant.fails.map((title) => {
    const one = find(title)
    const isOverTcp = 'code' in mutant.change || (one.needs ?? []).some((need) => need !== 'backend')
    return { mutant, one, isOverTcp }
  }),
)

const caught = new Map<Mutant, Set<Case>>(mutants.map((mutant) => [mutant, new Set()]))

const openWorld = (isOverTcp: boolean, change?: Change): World | Promise<World> =>
  isOverTcp ? tcpWorld(change) : memoryWorld(change)

/** Runs work in a world of its own; a hang becomes an error. */
async function inWorld(
  isOverTcp: boolean,
  change: Change | undefined,
  work: (world: World) => Promise<void>,
) {
  const world = await openWorld(isOverTcp, change)
  const working = work(world)
  try {
    await withDeadline(working, change === undefined ? soundDeadline : deadline, 'what hangs')
  } finally {
    // What hung goes on when its backends are closed, and must end before its broker does.
    const ended = world.abandon().then(() => working)
    await withDeadline(ended, 1_000, 'the end').catch(() => {})
    await world.close()
  }
}

const sound = new Map<string, Promise<void>>()

/** Rejects where the sound backend, too, fails the case. */
function passesWhenSound(one: Case, isOverTcp: boolean): Promise<void> {
  const key = `${isOverTcp} ${one.title}`
  const running = sound.get(key) ?? inWorld(isOverTcp, undefined, (world) => runCase(one, world))
  sound.set(key, running)
  return running
}

/** A mutant must look like something that works: it starts, subscribes, brings a message and closes. */
async function smoke({ create, wrapClient, patience }: World): Promise<void> {
  const channel = `smoke-${crypto.randomUUID().slice(0, 8)}`
  if (wrapClient !== undefined) {
    const watched = await watchClient(create(), { settings: {}, patience, wrapClient })
    const heard = await watched.hear(channel)
    expect(await watched.client.publish(channel, 'smoke')).toBe(true)
    expect(await heard.arrived(1)).toContain('smoke')
    return watched.finish()
  }
  const [publisher, listener] = [create(), create()]
  const heard: string[] = []
  let ready = 0
  for (const backend of [publisher, listener])
    await backend.start({
      message: (_, payload) => heard.push(payload),
      gap: () => {},
      state: (state) => (ready += state === 'ready' ? 1 : 0),
      invalid: () => {},
    })
  await until(() => ready === 2, 'the backends are ready', patience)
  await listener.subscribe(channel)
  // Not once only: a subscription that is confirmed too early is a fault for a case to find.
  const isHeard = async (): Promise<boolean> => {
    await publisher.publish(channel, '"smoke"')
    return heard.includes('"smoke"')
  }
  await until(isHeard, 'the message arrives', patience)
  for (const backend of [publisher, listener]) await backend.close()
}

const smoked = new Map<string, Promise<void>>()

function passesSmokeTest({ fault, change }: Mutant, isOverTcp: boolean): Promise<void> {
  const key = `${isOverTcp} ${fault}`
  const running = smoked.get(key) ?? inWorld(isOverTcp, change, smoke)
  smoked.set(key, running)
  return running
}

async function isCaught({ mutant, one, isOverTcp }: Pair): Promise<void> {
  await passesWhenSound(one, isOverTcp)
  await passesSmokeTest(mutant, isOverTcp)
  const failure = await inWorld(isOverTcp, mutant.change, (world) => runCase(one, world)).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (failure === undefined) throw new Error('the case does not find it')
  caught.get(mutant)?.add(one)
}

afterAll(() => {
  clearLeftovers()
  const width = Math.max(...mutants.map(({ fault }) => fault.length))
  const lines = [...caught].map(([{ fault }, by]) => {
    const [first, ...others] = by
    const more = others.length === 0 ? '' : ` and ${others.length} more`
    return `  ${fault.padEnd(width)}  ${first === undefined ? 'NOT CAUGHT' : `${first.title}${more}`}`
  })
  const proven = new Set([...caught.values()].flatMap((by) => [...by]))
  const missed = pairs.length - [...caught.values()].reduce((sum, { size }) => sum + size, 0)
  const all = missed === 0 ? 'all caught' : `${missed} OF ${pairs.length} NOT CAUGHT`
  lines.push(`${mutants.length} mutants, ${all}; ${proven.size} of ${cases.length} cases have one`)
  console.log(['a backend that …, and the case that finds it', ...lines].join('\n'))
})

it('every case of the suite has a mutant that fails it', () => {
  const bitten = new Set(pairs.map(({ one }) => one))
  expect(cases.filter((one) => !bitten.has(one)).map(({ title }) => title)).toEqual([])
})

const timeout = soundDeadline + 4 * deadline

/**
 * Blocks the event loop, or fails by an `expect(…).rejects`, which vitest lays at the door of whichever test runs beside it.
 */
const spoilsOthers = ({ one: { title } }: Pair): boolean =>
  ['an event loop', 'a signal that', 'a loop over'].some((beginning) => title.startsWith(beginning))

const declare = (pair: Pair): void =>
  it(`a backend that ${pair.mutant.fault} fails "${pair.one.title}"`, { timeout }, () => isCaught(pair))

describe.concurrent('side by side', () => {
  for (const pair of pairs) if (!spoilsOthers(pair)) declare(pair)
})

describe('alone', () => {
  for (const pair of pairs) if (spoilsOthers(pair)) declare(pair)
})
