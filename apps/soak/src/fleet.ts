import { type FleetProcess, type FleetProcessStart, startFleetProcess } from './fleet-process.js'
import type { FinalMessage } from './messages.js'
import { type BackendName, type RedisKind, type SoakServer, startSoakServer } from './soak-server.js'
import { within } from './waiting.js'

const readyMilliseconds = 30_000
const finalsMilliseconds = 8_000
const heardMilliseconds = 4_000
const exitMilliseconds = 6_000

/** Publishers and listeners over one broker or several, each with a link of its own to each. */
export interface Fleet {
  readonly name: string
  /** The first choice first. */
  readonly servers: readonly [SoakServer, ...SoakServer[]]
  readonly processes: readonly FleetProcess[]
  /** Every publisher begins. */
  begin(): void
  /** Publishers send their last messages, listeners wait for them, and all end by themselves. */
  finish(signal: AbortSignal): Promise<void>
  /** Ends whatever still runs. */
  close(): Promise<void>
}

export interface FleetOptions
  extends Pick<
    FleetProcessStart,
    'channels' | 'rate' | 'sizes' | 'environment' | 'auditorPort' | 'onUncaught' | 'onDeath'
  > {
  /** The first choice first. */
  readonly backends: readonly [BackendName, ...BackendName[]]
  /** What Redis is. */
  readonly redis: RedisKind
  readonly publishers: number
  readonly listeners: number
  /** Every publisher packs, none, or every second one, as while packing is being introduced. */
  readonly packing: 'all' | 'none' | 'mixed'
  readonly onProblem: (text: string) => void
}

/** What a fleet is called, in the table too. */
export const nameFleet = (backends: readonly BackendName[]): string => backends.join('+')

/** Resolves when every publisher is connected and every listener listens. Where that fails nothing is left behind. */
export async function startFleet({
  backends,
  redis,
  publishers,
  listeners,
  packing,
  onProblem,
  ...shared
}: FleetOptions): Promise<Fleet> {
  const fleet = nameFleet(backends)
  const [first, ...others] = backends
  const servers: [SoakServer, ...SoakServer[]] = [await startSoakServer(first, redis)]
  const processes: FleetProcess[] = []

  const start = async (role: FleetProcess['role'], number: number): Promise<void> => {
    const packs = role === 'publisher' && (packing === 'all' || (packing === 'mixed' && number % 2 === 1))
    processes.push(await startFleetProcess({ ...shared, fleet, role, number, packing: packs, servers }))
  }
  const ofRole = (role: FleetProcess['role']): FleetProcess[] => processes.filter((one) => one.role === role)

  const finishedWithin = async (
    role: FleetProcess['role'],
    milliseconds: number,
    signal: AbortSignal,
  ): Promise<FinalMessage[]> => {
    const all = ofRole(role).map(async ({ name, finished }) => {
      const finals = await within(finished, milliseconds, signal)
      if (finals === undefined) onProblem(`${name} had not finished after ${milliseconds / 1_000} s`)
      return finals ?? []
    })
    return (await Promise.all(all)).flat()
  }

  const close = async (): Promise<void> => {
    await Promise.all(processes.map((one) => one.close()))
    await Promise.all(servers.map((server) => server.stop()))
  }

  try {
    for (const backend of others) servers.push(await startSoakServer(backend, redis))
    for (let number = 0; number < publishers; number += 1) await start('publisher', number)
    for (let number = 0; number < listeners; number += 1) await start('listener', number)
    const ready = Promise.all(processes.map((one) => one.ready))
    if ((await within(ready, readyMilliseconds)) === undefined) {
      throw new Error(`the processes on ${fleet} were not ready after ${readyMilliseconds / 1_000} s`)
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    name: fleet,
    servers,
    processes,
    begin() {
      for (const publisher of ofRole('publisher')) publisher.order({ kind: 'start' })
    },
    async finish(signal) {
      for (const publisher of ofRole('publisher')) publisher.order({ kind: 'finish', finals: [] })
      const finals = await finishedWithin('publisher', finalsMilliseconds, signal)
      for (const listener of ofRole('listener')) listener.order({ kind: 'finish', finals })
      await finishedWithin('listener', heardMilliseconds, signal)
      for (const one of processes) one.order({ kind: 'stop' })
      const ends = processes.map(async ({ name, exited }) => {
        const code = await within(
          exited.then((exit) => ({ exit })),
          exitMilliseconds,
          signal,
        )
        if (code === undefined)
          onProblem(`${name} had not ended ${exitMilliseconds / 1_000} s after it was stopped`)
      })
      await Promise.all(ends)
    },
    close,
  }
}
