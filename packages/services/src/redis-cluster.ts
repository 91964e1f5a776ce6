import { createCertificates } from './certificates.js'
import { freePort } from './free-port.js'
import { type RedisGroupPlace, startRedisGroup } from './redis-group.js'
import type { RedisNode } from './redis-node.js'
import type { RedisReply } from './redis-request.js'
import { waitFor } from './wait-for.js'

const slots = 16_384

export interface RedisClusterOptions {
  /** How many nodes share the slots out. Default: 3, and there must be at least 3 for a failover. */
  readonly masters?: number | undefined
  /** How many replicas each of them has. Default: 0. */
  readonly replicas?: number | undefined
  /** Default: none is asked for. */
  readonly password?: string | undefined
  /** Speak TLS with clients and among each other. `command` goes past it. */
  readonly tls?: boolean | undefined
  /** After how many milliseconds without an answer a node fails. Default: 2,000. */
  readonly nodeTimeout?: number | undefined
  /** Server settings of every node, as in redis.conf. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Gives the port that a node tells clients to use, before it is started: that of a proxy. Default: its own. */
  readonly announce?: ((port: number) => number | Promise<number>) | undefined
}

export interface RedisClusterNode extends RedisNode {
  /** Its id in the cluster. */
  readonly id: string
}

/** A Redis Cluster of our own, on 127.0.0.1. */
export interface RedisCluster {
  /** Names the ports that are announced: `redis+cluster://:password@127.0.0.1:port,127.0.0.1:port`. */
  readonly url: string
  /** The masters that it began with, then their replicas. */
  readonly nodes: readonly RedisClusterNode[]
  /** The node that serves a slot now, as the nodes that answer say. */
  ownerOf(slot: number): Promise<RedisClusterNode>
  /** Gives a slot to another master, and tells every master. It moves no keys. */
  migrateSlot(slot: number, to: RedisClusterNode): Promise<void>
  /** Resolves once every node that runs serves, and says so of the cluster. */
  settled(): Promise<void>
  stop(): Promise<void>
}

/** Starts a private Redis Cluster. Throws `RedisUnavailable` where no Redis can be had. */
export const startRedisCluster = (options: RedisClusterOptions = {}): Promise<RedisCluster> =>
  startRedisGroup((place) => startNodes(place, options))

async function startNodes(
  { startNode, folder }: RedisGroupPlace,
  {
    masters = 3,
    replicas = 0,
    password,
    tls = false,
    nodeTimeout = 2_000,
    settings = {},
    announce = (port) => port,
  }: RedisClusterOptions,
): Promise<Omit<RedisCluster, 'stop'>> {
  const certificates = tls ? await createCertificates(folder, (path) => path) : undefined

  const startOne = async () => {
    const [port, busPort, tlsPort] = [await freePort(), await freePort(), await freePort()]
    const served = tls ? tlsPort : port
    const announced = await announce(served)
    const node = await startNode({
      name: 'Redis Cluster node',
      port,
      password,
      settings: {
        'cluster-enabled': 'yes',
        'cluster-port': String(busPort),
        'cluster-node-timeout': String(nodeTimeout),
        'cluster-announce-ip': '127.0.0.1',
        [tls ? 'cluster-announce-tls-port' : 'cluster-announce-port']: String(announced),
        'cluster-announce-bus-port': String(busPort),
        'cluster-allow-replica-migration': 'no',
        ...(certificates && {
          'tls-port': String(tlsPort),
          'tls-cert-file': certificates.certificateFile,
          'tls-key-file': certificates.keyFile,
          'tls-ca-cert-file': certificates.authorityFile,
          'tls-auth-clients': 'no',
          'tls-cluster': 'yes',
          'tls-replication': 'yes',
        }),
        ...settings,
      },
    })
    // Not spread: what it says of its process changes.
    const known: RedisClusterNode = Object.assign(node, { id: String(await node.command('CLUSTER', 'MYID')) })
    return { announced, served, busPort, node: known }
  }

  const started = await Promise.all(Array.from({ length: masters * (1 + replicas) }, startOne))
  const nodes = started.map(({ node }) => node)

  const serves = async (node: RedisClusterNode): Promise<boolean> => {
    const info = String(await node.command('CLUSTER', 'INFO'))
    if (!info.includes('cluster_state:ok') || !info.includes(`cluster_known_nodes:${nodes.length}`))
      return false
    const [role, , , link] = (await node.command('ROLE')) as RedisReply[]
    return role === 'master' || link === 'connected'
  }
  const settled = async (): Promise<void> => {
    await Promise.all(
      nodes
        .filter((node) => !node.hasExited())
        .map((node) =>
          waitFor(() => serves(node), { timeout: 30_000, what: `the cluster on port ${node.port}` }),
        ),
    )
  }

  for (const [index, node] of nodes.slice(0, masters).entries()) {
    const from = Math.ceil((slots * index) / masters)
    const to = Math.ceil((slots * (index + 1)) / masters) - 1
    await node.command('CLUSTER', 'ADDSLOTSRANGE', from, to)
    // Else two masters may have the same, and one of them has to find another.
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
  }
  for (const { served, busPort } of started.slice(1))
    await nodes[0]?.command('CLUSTER', 'MEET', '127.0.0.1', served, busPort)
  for (const [index, replica] of nodes.slice(masters).entries()) {
    const master = nodes[index % masters]?.id ?? ''
    await waitFor(() => replica.command('CLUSTER', 'REPLICATE', master), { what: `a replica of ${master}` })
  }
  await settled()

  const ownerOf = async (slot: number): Promise<RedisClusterNode> => {
    const answers = await Promise.all(
      nodes.map((node) =>
        node.command('CLUSTER', 'NODES').then(
          (reply) => String(reply),
          () => '',
        ),
      ),
    )
    // A node is always right about itself, unless another has taken over while it was away.
    const serving = nodes.filter((_, index) => {
      const own = (answers[index] ?? '').split('\n').find((line) => line.includes('myself,master'))
      return (own ?? '')
        .split(' ')
        .slice(8)
        .some((range) => {
          const [from, to = from] = range.split('-').map(Number)
          return from !== undefined && to !== undefined && slot >= from && slot <= to
        })
    })
    const [owner] = serving
    if (owner === undefined || serving.length > 1)
      throw new Error(`${serving.length} nodes serve slot ${slot}`)
    return owner
  }

  const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`
  const ca = certificates === undefined ? '' : `?ca=${certificates.authorityFile}`
  return {
    url: `${tls ? 'rediss' : 'redis'}+cluster://${credentials}${started.map(({ announced }) => `127.0.0.1:${announced}`).join(',')}${ca}`,
    nodes,
    ownerOf,
    async migrateSlot(slot, to) {
      const from = await ownerOf(slot)
      if (from === to) return
      await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
      await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
      await to.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
      await from.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
    },
    settled,
  }
}
