import { setTimeout as sleep } from 'node:timers/promises'
import { chaosFaults } from './chaos-faults.js'
import { doFault } from './do-fault.js'
import type { FaultLoopOptions } from './fault-loop.js'
import type { DrawFault } from './faults.js'
import type { BackendName, SoakServer } from './soak-server.js'
import { holdsWithin, within } from './waiting.js'

const pauseMilliseconds = 100
const maxPauseMilliseconds = 900
/** So many faults at most are done to one broker before it is the other's turn. */
const maxInARow = 5
const readyMilliseconds = 20_000
/** A client's own limit for a round trip is shorter. */
const answerMilliseconds = 5_000
/** So long before the end no fault is under way any more. */
const reserveMilliseconds = 3_000

/**
 * One fault after the other: a few on one broker, close together, then on the other one, but not before every process has
 * both again, so that one broker lives at any moment. Every kind once before any comes again on its broker.
 */
export async function runChaosFaults(options: FaultLoopOptions): Promise<void> {
  const { fleet, random, until, signal, onFault, onProblem } = options
  const { processes } = fleet
  const left = new Map<BackendName, [string, DrawFault][]>()
  let [server] = fleet.servers
  let inARow = random.between(1, maxInARow)

  const nextOn = ({ backend }: SoakServer): [string, DrawFault] | undefined => {
    const kinds = left.get(backend) ?? []
    if (kinds.length === 0) kinds.push(...random.shuffle(Object.entries(chaosFaults[backend])))
    left.set(backend, kinds)
    return kinds.pop()
  }

  // What a client says may be older than the end of the fault, so those that say that they are ready are asked again.
  const areReady = async (): Promise<boolean> => {
    if (!processes.every(({ isReady }) => isReady)) return false
    const answers = Promise.all(processes.map((one) => one.check()))
    return (await within(answers, answerMilliseconds, signal))?.every((isReady) => isReady) ?? false
  }

  const change = async (): Promise<void> => {
    inARow = random.between(1, maxInARow)
    const other = fleet.servers.find((one) => one !== server)
    if (other === undefined) return
    if (await holdsWithin(areReady, readyMilliseconds, signal)) {
      server = other
      return
    }
    const names = processes.filter(({ isReady }) => !isReady).map(({ name }) => name)
    onProblem(
      `not all ready ${readyMilliseconds / 1_000} s after faults on ${server.backend}: ${names.join(', ') || 'a client does not answer'}`,
    )
  }

  for (;;) {
    await sleep(random.between(pauseMilliseconds, maxPauseMilliseconds), undefined, { signal })
    if (inARow === 0) await change()
    const next = nextOn(server)
    if (next === undefined) return
    const [kind, draw] = next
    const drawn = draw({ server, processes }, random)
    if (Date.now() + drawn.milliseconds + reserveMilliseconds > until) return
    onFault(await doFault({ fleet: fleet.name, backend: server.backend, kind }, drawn, signal))
    inARow -= 1
  }
}
