import { PubSubError, retryDelay } from '@ps/core'
import { askSeveral } from './ask-several.js'
import { type Address, addressOf, type ClusterMap, readClusterMap } from './cluster-map.js'
import type { ClusterNode } from './cluster-node.js'
import { openConnection } from './connection.js'
import type { ConnectionTarget } from './connection-url.js'

/** How many nodes are asked each time; the newest answer counts. */
const maxAsked = 3
/** How often they are asked where nothing has gone wrong, in milliseconds. */
const calmMilliseconds = 2_000

/** The masters of a cluster, and which of them serves which slot, kept up to date. */
export interface ClusterTopology {
  readonly nodes: ReadonlyMap<Address, ClusterNode>
  /** Whether every slot is served, as far as is known. */
  readonly complete: boolean
  nodeOf(slot: number): ClusterNode | undefined
  /** Another node has said that it has given the slot away. */
  move(slot: number, to: ConnectionTarget): void
  /** Asks again soon. */
  refresh(): void
  /** Keeps it up to date until all ends. */
  run(): Promise<void>
}

export interface ClusterTopologyOptions {
  readonly seeds: readonly ConnectionTarget[]
  readonly signal: AbortSignal
  readonly createNode: (target: ConnectionTarget) => ClusterNode
  /** Whether all is well; otherwise the cluster is asked more often. */
  readonly isCalm: () => boolean
  /** A map has come. */
  readonly onMap: () => void
  readonly onFailure: (error: unknown) => void
}

export function createClusterTopology(options: ClusterTopologyOptions): ClusterTopology {
  const { seeds, signal, createNode, isCalm, onMap, onFailure } = options
  const nodes = new Map<Address, ClusterNode>()
  const ends = new Set<Promise<unknown>>()
  // All that have ever been named by the last map, and the seeds: who may know when nobody is connected.
  let known = new Map(seeds.map((seed) => [addressOf(seed), seed]))
  let owners: (Address | undefined)[] = []
  let complete = false
  // It knows best where a slot has just gone.
  let preferred: Address | undefined
  let requested = false
  let wake = (): void => {}

  const take = (target: ConnectionTarget): void => {
    const node = createNode(target)
    nodes.set(node.address, node)
    const end: Promise<unknown> = node.ended.then(() => ends.delete(end))
    ends.add(end)
  }

  const askOver = async (target: ConnectionTarget): Promise<ClusterMap> => {
    const connected = nodes.get(addressOf(target))?.publishing
    if (connected !== undefined) return readClusterMap(connected, target)
    const connection = await openConnection({ target, name: '@ps/redis:discover', signal, onLost() {} })
    try {
      return await readClusterMap(connection, target)
    } finally {
      connection.lose(new Error('asked'))
    }
  }

  const ask = async (): Promise<ClusterMap> => {
    const rank = ({ address, isConnected }: { address: Address; isConnected: boolean }): number =>
      (address === preferred ? 0 : isConnected ? 1 : 2) + Math.random()
    const asked = Array.from(known, ([address, target]) => {
      const isConnected = nodes.get(address)?.publishing !== undefined
      return { target, rank: rank({ address, isConnected }) }
    })
      .toSorted((one, other) => one.rank - other.rank)
      .slice(0, maxAsked)
    const maps = await askSeveral(
      asked.map(({ target }) => askOver(target)),
      'no node of the cluster',
    )
    return maps.reduce((newest, map) => (map.epoch > newest.epoch ? map : newest))
  }

  const apply = (map: ClusterMap): void => {
    owners = map.owners
    complete = owners.every((owner) => owner !== undefined)
    known = new Map([...seeds.map((seed) => [addressOf(seed), seed] as const), ...map.nodes])
    preferred = undefined
    for (const [address, target] of map.masters) if (!nodes.has(address)) take(target)
    for (const [address, node] of nodes) {
      if (map.masters.has(address)) continue
      nodes.delete(address)
      node.leave(
        new PubSubError('unavailable', `Redis at ${address} serves no slot any more`, { backend: 'redis' }),
      )
    }
    onMap()
  }

  return {
    nodes,
    get complete() {
      return complete
    },
    nodeOf(slot) {
      const owner = owners[slot]
      return owner === undefined ? undefined : nodes.get(owner)
    },
    move(slot, to) {
      const address = addressOf(to)
      known.set(address, to)
      if (!nodes.has(address)) take(to)
      owners[slot] = address
      preferred = address
    },
    refresh() {
      requested = true
      wake()
    },
    async run() {
      let attempts = 0
      while (!signal.aborted) {
        await ask().then(apply, (error: unknown) => {
          if (!signal.aborted) onFailure(error)
        })
        // What was asked for a reason is asked once more, a little later: what has changed takes its time to get around.
        attempts = isCalm() ? Number(requested) : attempts + 1
        requested = false
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(timer)
            signal.removeEventListener('abort', done)
            wake = () => {}
            resolve()
          }
          const timer = setTimeout(done, attempts === 0 ? calmMilliseconds : retryDelay(attempts))
          signal.addEventListener('abort', done)
          if (attempts === 0) wake = done
          if (signal.aborted) done()
        })
      }
      await Promise.all(ends)
    },
  }
}
