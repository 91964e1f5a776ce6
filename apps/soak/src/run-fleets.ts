import { setTimeout as sleep } from 'node:timers/promises'
import { startAuditor } from './auditor-process.js'
import { clock } from './clock.js'
import type { FaultLoopOptions } from './fault-loop.js'
import { type Fleet, type FleetOptions, startFleet } from './fleet.js'
import type { AuditPlan, Fault } from './messages.js'
import { sampleMemory } from './process-life.js'
import { createRandom } from './random.js'

export interface RunFleetsOptions {
  readonly plan: AuditPlan
  readonly fleets: readonly Pick<
    FleetOptions,
    'backends' | 'redis' | 'rate' | 'packing' | 'sizes' | 'environment'
  >[]
  /** Does faults to one fleet until it is time. */
  readonly runFaults: (options: FaultLoopOptions) => Promise<void>
  /** Ends everything. */
  readonly signal: AbortSignal
  /** Told of each fault and whatever goes wrong, in words. */
  readonly onProgress: (line: string) => void
}

const memoryMilliseconds = 5_000

/**
 * Runs fleets, all at the same time, under faults, and has the auditor judge. Resolves with whether every limit is kept;
 * leaves no process in any case.
 */
export async function runFleets({
  plan,
  fleets: wanted,
  runFaults,
  signal: given,
  onProgress,
}: RunFleetsOptions): Promise<boolean> {
  const failing = new AbortController()
  const signal = AbortSignal.any([given, failing.signal])
  const { minutes, seed, publishers, listeners, channels } = plan
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

  const start = async (options: (typeof wanted)[number]): Promise<void> => {
    const fleet = await startFleet({
      ...options,
      publishers,
      listeners,
      channels,
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
    const started = await Promise.allSettled(wanted.map(start))
    for (const one of started) if (one.status === 'rejected') throw one.reason
    signal.throwIfAborted()
    const begun = Date.now()
    const until = begun + minutes * 60_000
    auditor.tell({ kind: 'begun', at: begun })
    onProgress(`publishing from ${clock(begun)} on`)
    for (const fleet of fleets) fleet.begin()
    const either = AbortSignal.any([signal, cutShort.signal])
    const breakFleet = async (fleet: Fleet, faultSeed: number): Promise<void> => {
      try {
        await runFaults({
          fleet,
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
