import { setTimeout as sleep } from 'node:timers/promises'
import { doFault } from './do-fault.js'
import type { DrawFault } from './faults.js'
import type { Fleet } from './fleet.js'
import type { FleetProcess } from './fleet-process.js'
import type { Fault } from './messages.js'
import type { Random } from './random.js'
import { soakFaults } from './soak-faults.js'
import { holdsWithin } from './waiting.js'

const calmMilliseconds = 1_000
const maxPauseMilliseconds = 2_500
const recoveryMilliseconds = 20_000
/** So long before the end no fault is under way any more. */
const reserveMilliseconds = 3_000

export interface FaultLoopOptions {
  readonly fleet: Fleet
  readonly random: Random
  /** When the publishers stop, in milliseconds since 1970. */
  readonly until: number
  readonly signal: AbortSignal
  readonly onFault: (fault: Fault) => void
  readonly onProblem: (text: string) => void
}

/**
 * One fault after the other, every kind once before any comes again; the next only when every process has sent or heard
 * something since the end of the last, and after a moment of calm.
 */
export async function runFaults(options: FaultLoopOptions): Promise<void> {
  const { fleet, random, until, signal, onFault, onProblem } = options
  const { processes } = fleet
  const [server] = fleet.servers
  let left: [string, DrawFault][] = []
  for (;;) {
    await sleep(random.between(calmMilliseconds, maxPauseMilliseconds), undefined, { signal })
    if (left.length === 0) left = random.shuffle(Object.entries(soakFaults))
    const next = left.pop()
    if (next === undefined) return
    const [kind, draw] = next
    const drawn = draw({ server, processes }, random)
    if (Date.now() + drawn.milliseconds + reserveMilliseconds > until) return
    const fault = await doFault({ fleet: fleet.name, backend: server.backend, kind }, drawn, signal)
    onFault(fault)
    const waiting = (): FleetProcess[] => processes.filter((one) => one.aliveAt <= fault.end || !one.isReady)
    if (await holdsWithin(() => waiting().length === 0, recoveryMilliseconds, signal)) continue
    const names = waiting().map(({ name }) => name)
    onProblem(`not recovered ${recoveryMilliseconds / 1_000} s after ${kind}: ${names.join(', ')}`)
  }
}
