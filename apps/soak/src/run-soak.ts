import { setTimeout as sleep } from 'node:timers/promises'
import { startAuditor } from './auditor-process.js'
import { runFaults } from './fault-loop.js'
import { faultKinds } from './faults.js'
import { type Fleet, startFleet } from './fleet.js'
import type { Fault, SoakPlan } from './messages.js'
import { sampleMemory } from './process-life.js'
import { createRandom } from './random.js'
import type { BackendName, RedisKind } from './soak-server.js'

export interface SoakOptions {
  /** For how long messages are published. */
  readonly minutes: number
  readonly backends: readonly BackendName[]
  /** What the fleet on Redis runs on. */
  readonly redis: RedisKind
  /** What the faults are drawn from. */
  readonly seed: number
  /** Every publisher packs, not only every second one. */
  readonly packing: boolean
  /** Ends everything. */
  readonly signal: AbortSignal
  /** Told of each fault and whatever goes wrong, in words. */
  readonly onProgress: (line: string) => void
}

const publishers = 2
const listeners = 3
const channels = 8
/** Messages a second and publisher. */
const rate = 400
const memoryMilliseconds = 5_000

/**
 * Runs one fleet a backend, all at the same time, under faults, and has the auditor judge. Resolves with whether every
 * limit is kept; leaves no process in any case.
 */
export async function runSoak({
  minutes,
  backends,
  redis,
  seed,
  packing,
  signal: given,
  onProgress,
}: SoakOptions): Promise<boolean> {
  const failing = new AbortController()
  const signal = AbortSignal.any([given, failing.signal])
  const plan: SoakPlan = { minutes, seed, publishers, listeners, channels, faultKinds, backends }
  const auditor = await startAuditor((reason) => failing.abort(reason))
  const fleets: Fleet[] = []

  const onProblem = (text: string): void => {
    onProgress(`problem: ${text}`)
    auditor.tell({ kind: 'problem', text })
  }
  const onFault = (begun: number, fault: Fault): void => {
    const { backend, kind, start, end, proven, proof } = fault
    const seconds = (milliseconds: number): string => (milliseconds / 1_000).toFixed(1).padStart(6)
    const not = proven ? '' : ' NOT PROVEN'
    onProgress(
      `${seconds(start - begun)} s  ${backend}: ${kind} for ${seconds(end - start).trim()} s${not} (${proof})`,
    )
    auditor.tell({ kind: 'fault', fault })
  }

  const start = async (backend: BackendName): Promise<void> => {
    const fleet = await startFleet({
      backend,
      redis,
      publishers,
      listeners,
      channels,
      rate,
      packing,
      auditorPort: auditor.port,
      onProblem,
      onUncaught: (name, text) => {
        auditor.tell({ kind: 'uncaught', name })
        onProblem(`${name}: ${text}`)
      },
      onDeath(name, errors) {
        onProblem(`${name} died: ${errors}`)
        cutShort.abort()
      },
    })
    fleets.push(fleet)
  }
  // A fleet that has lost a process has nothing more to show.
  const cutShort = new AbortController()
  const measuring = setInterval(
    () => auditor.tell({ kind: 'memory', name: 'orchestrator', ...sampleMemory() }),
    memoryMilliseconds,
  )
  try {
    auditor.tell({ kind: 'plan', plan })
    const started = await Promise.allSettled(backends.map(start))
    for (const one of started) if (one.status === 'rejected') throw one.reason
    signal.throwIfAborted()
    const begun = Date.now()
    const until = begun + minutes * 60_000
    auditor.tell({ kind: 'begun', at: begun })
    for (const fleet of fleets) fleet.begin()
    const either = AbortSignal.any([signal, cutShort.signal])
    const breakFleet = async ({ backend, ...target }: Fleet, faultSeed: number): Promise<void> => {
      try {
        await runFaults({
          backend,
          target,
          random: createRandom(faultSeed),
          until,
          signal: either,
          onFault: (fault) => onFault(begun, fault),
          onProblem,
        })
        await sleep(Math.max(0, until - Date.now()), undefined, { signal: either })
      } catch (error) {
        if (!either.aborted) failing.abort(error)
      }
    }
    const random = createRandom(seed)
    await Promise.all(fleets.map((fleet) => breakFleet(fleet, random.between(0, 2 ** 31))))
    signal.throwIfAborted()
    await Promise.all(fleets.map((fleet) => fleet.finish(signal)))
    clearInterval(measuring)
    return await auditor.judge()
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    clearInterval(measuring)
    await Promise.all(fleets.map((fleet) => fleet.close()))
    await auditor.close()
  }
}
