import { freePort } from './free-port.js'
import { type RedisGroupPlace, startRedisGroup } from './redis-group.js'
import type { RedisNode } from './redis-node.js'
import { waitFor } from './wait-for.js'

const masterName = 'main'

export interface RedisSentinelOptions {
  /** How many replicas the master has. Default: 1. */
  readonly replicas?: number | undefined
  /** How many sentinels watch it; more than half of them must agree. Default: 3. */
  readonly sentinels?: number | undefined
  /** Of the servers. Default: none is asked for. */
  readonly password?: string | undefined
  /** Of the sentinels. Default: none is asked for. */
  readonly sentinelPassword?: string | undefined
  /** After how many milliseconds without an answer a server is down. Default: 1,000. */
  readonly downAfter?: number | undefined
  /** Gives the port under which a server is known to all others, before it is started: that of a proxy. Default: its own. */
  readonly announce?: ((port: number) => number | Promise<number>) | undefined
}

/** A Redis with replicas, and the sentinels that replace it by one of them, on 127.0.0.1. */
export interface RedisSentinel {
  /** `redis+sentinel://:password@127.0.0.1:port,127.0.0.1:port/main`. */
  readonly url: string
  /** The master that it began with, then its replicas. */
  readonly servers: readonly RedisNode[]
  readonly sentinels: readonly RedisNode[]
  /** The server that most sentinels take for the master. */
  master(): Promise<RedisNode>
  /** Resolves once all servers that run are one master and its replicas, and every sentinel that runs knows all of them. */
  settled(): Promise<void>
  stop(): Promise<void>
}

/** Starts a private Redis with sentinels. Throws `RedisUnavailable` where no Redis can be had. */
export const startRedisSentinel = (options: RedisSentinelOptions = {}): Promise<RedisSentinel> =>
  startRedisGroup((place) => startAll(place, options))

async function startAll(
  { startNode }: RedisGroupPlace,
  {
    replicas = 1,
    sentinels: sentinelCount = 3,
    password,
    sentinelPassword,
    downAfter = 1_000,
    announce = (port) => port,
  }: RedisSentinelOptions,
): Promise<Omit<RedisSentinel, 'stop'>> {
  const servers: RedisNode[] = []
  const sentinels: RedisNode[] = []
  const announced = new Map<number, RedisNode>()
  const quorum = Math.floor(sentinelCount / 2) + 1
  let masterPort: number | undefined

  const startServer = async (): Promise<void> => {
    const port = await freePort()
    const known = await announce(port)
    const server = await startNode({
      name: 'Redis',
      port,
      password,
      settings: {
        'replica-announce-ip': '127.0.0.1',
        'replica-announce-port': String(known),
        ...(masterPort !== undefined && { replicaof: `127.0.0.1 ${masterPort}` }),
      },
    })
    servers.push(server)
    announced.set(known, server)
    masterPort ??= known
  }

  const startSentinel = async (): Promise<void> => {
    const sentinel = await startNode({
      name: 'Redis Sentinel',
      port: await freePort(),
      password: sentinelPassword,
      sentinel: [
        `sentinel monitor ${masterName} 127.0.0.1 ${masterPort} ${quorum}`,
        `sentinel down-after-milliseconds ${masterName} ${downAfter}`,
        // An election that comes to nothing is repeated after twice as long.
        `sentinel failover-timeout ${masterName} 3000`,
        ...(password === undefined ? [] : [`sentinel auth-pass ${masterName} ${password}`]),
        ...(sentinelPassword === undefined ? [] : [`sentinel sentinel-pass ${sentinelPassword}`]),
      ],
    })
    sentinels.push(sentinel)
  }

  const namedBy = async (sentinel: RedisNode): Promise<RedisNode | undefined> => {
    const reply = await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName)
    return announced.get(Number(Array.isArray(reply) ? reply[1] : 0))
  }

  const master = async (): Promise<RedisNode> => {
    const running = sentinels.filter((sentinel) => !sentinel.hasExited())
    const named = await Promise.all(running.map(namedBy))
    const found = servers.find((server) => named.filter((one) => one === server).length >= quorum)
    if (found === undefined) throw new Error('the sentinels do not agree on a master')
    return found
  }

  const isSettled = async (): Promise<boolean> => {
    const current = await master()
    const others = servers.filter((server) => server !== current && !server.hasExited())
    const replication = String(await current.command('INFO', 'replication'))
    if (!replication.includes('role:master')) return false
    for (const server of servers.filter((one) => one !== current)) {
      // One that has just come back is a master until the sentinels have found it.
      const role = await server.command('ROLE').catch(() => undefined)
      if (Array.isArray(role) && role[0] !== 'slave') return false
    }
    if ((replication.match(/state=online/g)?.length ?? 0) < others.length) return false
    for (const sentinel of sentinels.filter((one) => !one.hasExited())) {
      const [state = ''] = /^master0:.*$/m.exec(String(await sentinel.command('INFO', 'sentinel'))) ?? []
      const knows = `status=ok,address=127.0.0.1:${portOf(current)},slaves=${replicas},sentinels=${sentinelCount}`
      if (!state.includes(knows)) return false
    }
    return true
  }
  const portOf = (server: RedisNode): number =>
    Array.from(announced).find(([, known]) => known === server)?.[0] ?? 0
  const settled = async (): Promise<void> => {
    await waitFor(isSettled, { timeout: 30_000, what: 'the sentinels to know each other and all servers' })
  }

  for (let index = 0; index <= replicas; index += 1) await startServer()
  for (let index = 0; index < sentinelCount; index += 1) await startSentinel()
  await settled()

  const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`
  // What it is told to the sentinels, where it is not what the servers are told.
  const own =
    sentinelPassword === password ? '' : `?sentinelPassword=${encodeURIComponent(sentinelPassword ?? '')}`
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')
  return {
    url: `redis+sentinel://${credentials}${hosts}/${masterName}${own}`,
    servers,
    sentinels,
    master,
    settled,
  }
}
