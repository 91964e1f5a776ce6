import {
  type FaultProxy,
  type RedisClusterNode,
  startFaultProxy,
  startRedisCluster,
  waitFor,
} from '@ps/services'
import { killRedisConnections } from './kill-redis-connections.js'
import type { SoakNode, SoakServer } from './soak-server.js'

const masters = 3
const slots = 16_384
const takeoverMilliseconds = 30_000
/**
 * Longer than a node is ever stopped: one that goes on after it was replaced executes what it had received, and the bus brings that
 * to those who listen on its successor, late. No client can tell.
 */
const nodeTimeout = 6_000

/**
 * A Redis Cluster of 3 masters, each with a replica that takes over where it fails. Processes have no links of their own: a
 * client finds the nodes by what these announce, which is one proxy a node.
 */
export async function startSoakCluster(): Promise<SoakServer> {
  const links = new Map<number, FaultProxy>()
  const cluster = await startRedisCluster({
    masters,
    replicas: 1,
    nodeTimeout,
    async announce(port) {
      const proxy = await startFaultProxy({ port })
      links.set(port, proxy)
      return proxy.port
    },
  })

  const ownerOf = (index: number): Promise<RedisClusterNode> =>
    cluster.ownerOf(Math.floor((slots * (index + 0.5)) / masters))

  return {
    backend: 'redis',
    url: cluster.url,
    port: undefined,
    size: masters,
    async node(index) {
      const node = await ownerOf(index)
      const link = links.get(node.port)
      return {
        name: `node ${cluster.nodes.indexOf(node)}`,
        get processId() {
          return node.processId
        },
        ...(link !== undefined && { link }),
        kill: node.kill,
        async restart() {
          const hasSuccessor = async (): Promise<boolean> => (await ownerOf(index)) !== node
          await waitFor(hasSuccessor, { timeout: takeoverMilliseconds, what: 'a replica to take over' })
          await node.restart()
          await cluster.settled()
        },
      } satisfies SoakNode
    },
    settled: cluster.settled,
    async stop() {
      for (const link of links.values()) await link.close()
      await cluster.stop()
    },
    async killConnections(type) {
      const killed = await Promise.all(
        cluster.nodes.map((node) => killRedisConnections(type(), (...parts) => node.command(...parts))),
      )
      return {
        count: killed.reduce((sum, { count }) => sum + count, 0),
        which: killed.map(({ which }) => which).join(', '),
      }
    },
  }
}
