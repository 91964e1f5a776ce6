import { chaosFaults } from './chaos-faults.js'
import { runChaosFaults } from './chaos-fault-loop.js'
import { nameFleet } from './fleet.js'
import { faultLabel } from './judge-chaos.js'
import { runFleets, type RunFleetsOptions } from './run-fleets.js'
import { type BackendName, backendNames } from './soak-server.js'

export interface ChaosOptions extends Pick<RunFleetsOptions, 'signal' | 'onProgress'> {
  /** For how long messages are published. */
  readonly minutes: number
  /** The first choice; the other one stands behind it. */
  readonly first: BackendName
  /** What the faults are drawn from. */
  readonly seed: number
}

/** Messages a second and publisher: a tenth more than a million in ten minutes. */
const rate = 620
/** 10 bytes to 100 kB of JSON text, 1 kB on average. */
const sizes = { usual: 10_000, longest: 86_000 }
/** Shorter than by default: else most faults would hit a first choice that carries nothing. */
const returnAfter = 500

/** One fleet over both brokers, of which one always lives. Resolves with whether every limit is kept. */
export function runChaos({ minutes, first, seed, ...rest }: ChaosOptions): Promise<boolean> {
  const second: BackendName = first === 'redis' ? 'postgres' : 'redis'
  return runFleets({
    ...rest,
    plan: {
      program: 'chaos',
      minutes,
      seed,
      publishers: 3,
      listeners: 3,
      channels: 20,
      faultKinds: backendNames.flatMap((backend) =>
        Object.keys(chaosFaults[backend]).map((kind) => faultLabel(backend, kind)),
      ),
      fleets: [nameFleet([first, second])],
    },
    fleets: [
      {
        backends: [first, second],
        redis: 'server',
        rate,
        packing: 'none',
        sizes,
        environment: { PUBSUB_RETURN_AFTER: String(returnAfter) },
      },
    ],
    runFaults: runChaosFaults,
  })
}
