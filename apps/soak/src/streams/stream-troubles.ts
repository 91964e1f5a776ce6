import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../random.js'
import type { StreamClient } from './stream-client.js'
import type { ClientKind, StreamPlan } from './stream-plan.js'

/** What was done to clients. */
export type Troubles = Record<'returns' | 'stalls' | 'kills' | 'absences', number>

export interface TroubleOptions {
  readonly plan: StreamPlan
  readonly clients: Readonly<Record<ClientKind, readonly StreamClient[]>>
  readonly random: Random
  /** In milliseconds since 1970. */
  readonly until: number
  readonly signal: AbortSignal
}

const turnMilliseconds = 100
/** Between two troubles of one client. */
const calm = [1_000, 10_000] as const
/** Long enough to be cut for it, and short enough that nothing is missed that is not kept. */
const stall = [15_000, 25_000] as const
const killedAway = [0, 2_000] as const
/** Long enough that more is missed on the fast channel than is kept. */
const lateAway = [40_000, 50_000] as const

/** Does to each client what is done to its kind, until the time is over. Gives how often. */
export async function troubleClients({
  plan,
  clients,
  random,
  until,
  signal,
}: TroubleOptions): Promise<Troubles> {
  const done: Troubles = { returns: 0, stalls: 0, kills: 0, absences: 0 }
  const [{ regular }, begun] = [clients, Date.now()]
  const between = ([low, high]: readonly [number, number]): number => random.between(low, high)
  const next = new Map<StreamClient, number>()

  const trouble = (
    kind: Exclude<ClientKind, 'regular'>,
    what: keyof Troubles,
    lasts: readonly [number, number],
    act: (client: StreamClient, milliseconds: number) => boolean,
  ): void => {
    for (const client of clients[kind]) {
      const at = next.get(client) ?? begun + between(calm)
      next.set(client, at)
      if (at > Date.now()) continue
      const milliseconds = between(lasts)
      if (!act(client, milliseconds)) continue
      done[what] += 1
      next.set(client, Date.now() + milliseconds + between(calm))
    }
  }

  while (Date.now() < until) {
    const due = ((Date.now() - begun) * plan.returns) / 1_000
    for (; done.returns < due; done.returns += 1) regular[done.returns % regular.length]?.reconnect()
    trouble('stalling', 'stalls', stall, (client, milliseconds) => client.stall(milliseconds))
    trouble('killed', 'kills', killedAway, kill)
    trouble('late', 'absences', lateAway, kill)
    await sleep(turnMilliseconds, undefined, { signal })
  }
  return done
}

function kill(client: StreamClient, milliseconds: number): boolean {
  client.kill(milliseconds)
  return true
}
