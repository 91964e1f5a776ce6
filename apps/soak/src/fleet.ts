import { type FleetProcess, type FleetProcessStart, startFleetProcess } from './fleet-process.js'
import type { FinalMessage } from './messages.js'
import { type BackendName, type RedisKind, type SoakServer, startSoakServer } from './soak-server.js'
import { within } from './waiting.js'

const readyMilliseconds = 30_000
const finalsMilliseconds = 8_000
const heardMilliseconds = 4_000
const exitMilliseconds = 6_000

/** The publishers and listeners of one backend, each with a link of its own to one server. */
export interface Fleet {
  readonly backend: BackendName
  readonly server: SoakServer
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
    'backend' | 'channels' | 'rate' | 'auditorPort' | 'onUncaught' | 'onDeath'
  > {
  /** Where the backend is Redis. */
  readonly redis: RedisKind
  readonly publishers: number
  readonly listeners: number
  /** Every publisher packs; else every second one, as while packing is being introduced. */
  readonly packing: boolean
  readonly onProblem: (text: string) => void
}

/** Resolves when every publisher is connected and every listener listens. Where that fails nothing is left behind. */
export async function startFleet({
  redis,
  publishers,
  listeners,
  packing,
  onProblem,
  ...shared
}: FleetOptions): Promise<Fleet> {
  const { backend } = shared
  const server = await startSoakServer(backend, redis)
  const processes: FleetProcess[] = []

  const start = async (role: FleetProcess['role'], number: number): Promise<void> => {
    const packs = role === 'publisher' && (packing || number % 2 === 1)
    processes.push(await startFleetProcess({ ...shared, role, number, packing: packs, server }))
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
    await server.stop()
  }

  try {
    for (let number = 0; number < publishers; number += 1) await start('publisher', number)
    for (let number = 0; number < listeners; number += 1) await start('listener', number)
    const ready = Promise.all(processes.map((one) => one.ready))
    if ((await within(ready, readyMilliseconds)) === undefined) {
      throw new Error(`the processes on ${backend} were not ready after ${readyMilliseconds / 1_000} s`)
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    backend,
    server,
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
