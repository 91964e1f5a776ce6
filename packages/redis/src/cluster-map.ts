import { PubSubError } from '@ps/core'
import type { CommandConnection } from './connection.js'
import type { ConnectionTarget } from './connection-url.js'
import { connectionFailure } from './failures.js'
import { slotCount } from './slot.js'

/** A node's host and port in one, as a key. */
export type Address = string

export const addressOf = ({ host, port }: Pick<ConnectionTarget, 'host' | 'port'>): Address =>
  `${host}:${port}`

/** Which node serves which slot, as one node sees it. */
export interface ClusterMap {
  /** The address of each slot's master; `undefined` where nobody serves it. */
  readonly owners: (Address | undefined)[]
  /** All masters that have slots. */
  readonly masters: ReadonlyMap<Address, ConnectionTarget>
  /** All nodes that were named, replicas too. */
  readonly nodes: ReadonlyMap<Address, ConnectionTarget>
  /** Grows with every failover and every slot that moves; of two maps the one with the higher is newer. */
  readonly epoch: number
}

/** Asks a node for its view of the cluster. Rejects where it has none that can be used. */
export async function readClusterMap(
  connection: CommandConnection,
  target: ConnectionTarget,
): Promise<ClusterMap> {
  const ask = async (): Promise<readonly [string, unknown]> => {
    const [info, slots] = await Promise.all([
      connection.call('CLUSTER', 'INFO'),
      connection.call('CLUSTER', 'SLOTS'),
    ])
    return [String(info), slots]
  }
  const [info, slots] = await ask().catch((error: unknown) => {
    const failure = connectionFailure(error, target)
    if (failure.message.includes('cluster support disabled')) {
      throw new PubSubError(
        'configuration',
        `Redis at ${addressOf(target)} is no node of a cluster; the URL of a single server begins with redis:// or rediss://`,
        { backend: 'redis', cause: failure },
      )
    }
    throw failure
  })
  const state = /^cluster_state:(\w+)/m.exec(info)?.[1]
  if (state !== 'ok')
    throw connectionFailure(new Error(`the cluster does not serve (cluster_state:${state})`), target)
  return {
    ...readSlots(slots, target),
    epoch: Number(/^cluster_current_epoch:(\d+)/m.exec(info)?.[1] ?? 0),
  }
}

function readSlots(reply: unknown, asked: ConnectionTarget): Omit<ClusterMap, 'epoch'> {
  const owners: (Address | undefined)[] = Array.from({ length: slotCount })
  const masters = new Map<Address, ConnectionTarget>()
  const nodes = new Map<Address, ConnectionTarget>()
  for (const range of Array.isArray(reply) ? reply : []) {
    const [from, to, ...serving] = range as [number, number, ...(readonly [unknown, number])[]]
    for (const [index, [host, port]] of serving.entries()) {
      const target = targetOf(asked, typeof host === 'string' ? host : '', port)
      const address = addressOf(target)
      nodes.set(address, target)
      if (index > 0) continue
      masters.set(address, target)
      owners.fill(address, from, to + 1)
    }
  }
  return { owners, masters, nodes }
}

/** A node that another one names: a name that is empty or unknown means the one that was asked. */
const targetOf = (asked: ConnectionTarget, host: string, port: number): ConnectionTarget => ({
  ...asked,
  host: host === '' || host === '?' ? asked.host : host,
  port,
})

/** Where a slot has gone, as `MOVED` says. */
export function readMoved(
  error: Error,
  asked: ConnectionTarget,
): { slot: number; target: ConnectionTarget } | undefined {
  const [, slot, host = '', port] = /^MOVED (\d+) (.*):(\d+)$/.exec(error.message) ?? []
  return slot === undefined ? undefined : { slot: Number(slot), target: targetOf(asked, host, Number(port)) }
}
