import { runFaults } from './fault-loop.js'
import { nameFleet } from './fleet.js'
import { runFleets, type RunFleetsOptions } from './run-fleets.js'
import { soakFaults } from './soak-faults.js'
import type { BackendName, RedisKind } from './soak-server.js'

export interface SoakOptions extends Pick<RunFleetsOptions, 'signal' | 'onProgress'> {
  /** For how long messages are published. */
  readonly minutes: number
  readonly backends: readonly BackendName[]
  /** What the fleet on Redis runs on. */
  readonly redis: RedisKind
  /** What the faults are drawn from. */
  readonly seed: number
  /** Every publisher packs, not only every second one. */
  readonly packing: boolean
}

/** Messages a second and publisher. */
const rate = 400
const sizes = { usual: 20_000, longest: 20_000 }

/** One fleet a backend, without fallback. Resolves with whether every limit is kept. */
export const runSoak = ({
  minutes,
  backends,
  redis,
  seed,
  packing,
  ...rest
}: SoakOptions): Promise<boolean> =>
  runFleets({
    ...rest,
    plan: {
      program: 'soak',
      minutes,
      seed,
      publishers: 2,
      listeners: 3,
      channels: 8,
      faultKinds: Object.keys(soakFaults),
      fleets: backends.map((backend) => nameFleet([backend])),
    },
    fleets: backends.map((backend) => ({
      backends: [backend],
      redis,
      rate,
      packing: packing ? 'all' : 'mixed',
      sizes,
    })),
    runFaults,
  })
