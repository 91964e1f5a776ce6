import { setTimeout as sleep } from 'node:timers/promises'
import { drawFault, faultKinds, type FaultTarget } from './faults.js'
import type { FleetProcess } from './fleet-process.js'
import type { Fault } from './messages.js'
import type { Random } from './random.js'
import { holdsWithin } from './waiting.js'

const calmMilliseconds = 1_000
const maxPauseMilliseconds = 2_500
const recoveryMilliseconds = 20_000
/** So long before the end no fault is under way any more. */
const reserveMilliseconds = 3_000

export interface FaultLoopOptions {
  readonly backend: string
  readonly target: FaultTarget
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
  const { backend, target, random, until, signal, onFault, onProblem } = options
  let kinds: string[] = []
  for (;;) {
    await sleep(random.between(calmMilliseconds, maxPauseMilliseconds), undefined, { signal })
    if (kinds.length === 0) kinds = random.shuffle(faultKinds)
    const kind = kinds.pop() ?? ''
    const drawn = drawFault(kind, target, random)
    if (Date.now() + drawn.milliseconds + reserveMilliseconds > until) return
    const start = Date.now()
    const proof = await drawn.run(signal)
    const end = Date.now()
    const publishers = drawn.concerned.filter(({ role }) => role === 'publisher').map(({ number }) => number)
    onFault({ backend, kind, start, end, publishers, ...proof })
    const waiting = (): FleetProcess[] => target.processes.filter((one) => one.aliveAt <= end || one.isDown)
    if (await holdsWithin(() => waiting().length === 0, recoveryMilliseconds, signal)) continue
    const names = waiting().map(({ name }) => name)
    onProblem(`not recovered ${recoveryMilliseconds / 1_000} s after ${kind}: ${names.join(', ')}`)
  }
}
