import { type FaultProxy, startPostgres, startRedis } from '@ps/services'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import { type KilledType, killRedisConnections } from './kill-redis-connections.js'
import { startSoakCluster } from './soak-cluster.js'

/** One server of a broker. */
export interface SoakNode {
  /** For people. */
  readonly name: string
  readonly processId: number
  /** The way of all processes to it, where none has one of its own. */
  readonly link?: FaultProxy
  kill(signal: NodeJS.Signals): void
  /** Starts it again after it was killed. Resolves when messages can move. */
  restart(): Promise<void>
}

/** The broker of a fleet. */
export interface SoakServer {
  readonly backend: BackendName
  readonly url: string
  /** What the link of each process leads to; `undefined`: clients find the servers by what these announce. */
  readonly port: number | undefined
  /** How many servers carry messages at a time. */
  readonly size: number
  /** One of those that carry messages now, by a number below `size`. */
  node(index: number): Promise<SoakNode>
  /** Resolves when messages can move after a server has gone on. */
  settled(): Promise<void>
  stop(): Promise<void>
  /**
   * Has the server kill its connections, on Redis those of a type, asked for once a node. Returns how many it killed, and
   * which.
   */
  killConnections(type: () => KilledType): Promise<{ readonly count: number; readonly which: string }>
}

/** The backends that can be soaked. */
export const backendNames = ['redis', 'postgres'] as const
export type BackendName = (typeof backendNames)[number]

/** What a client reads from its environment, given the backends, the first choice first, and the way to each. */
export const environmentOf = (
  routes: readonly { readonly backend: BackendName; readonly url: string }[],
): Record<string, string> => ({
  PUBSUB_BACKEND: routes[0]?.backend ?? 'none',
  PUBSUB_FALLBACK: routes[1]?.backend ?? 'none',
  ...Object.fromEntries(
    routes.map(({ backend, url }) => [backend === 'redis' ? 'REDIS_URL' : 'DATABASE_URL', url]),
  ),
})

/** What a fleet on Redis runs on. */
export const redisKinds = ['server', 'cluster'] as const
export type RedisKind = (typeof redisKinds)[number]

export function startSoakServer(backend: BackendName, redis: RedisKind): Promise<SoakServer> {
  if (backend === 'postgres') return startSoakPostgres()
  return redis === 'cluster' ? startSoakCluster() : startSoakRedis()
}

async function startSoakRedis(): Promise<SoakServer> {
  const server = await startRedis()
  return single('redis', server, async (type) => {
    const redis = new Redis(server.url, { lazyConnect: true, retryStrategy: null })
    // Its failures reject the command.
    redis.on('error', () => {})
    try {
      await redis.connect()
      return await killRedisConnections(type(), (...parts) => redis.call(...parts))
    } finally {
      redis.disconnect()
    }
  })
}

async function startSoakPostgres(): Promise<SoakServer> {
  const server = await startPostgres()
  return single('postgres', server, async () => {
    const sql = postgres(server.url, { max: 1, onnotice: () => {} })
    try {
      const [row] = await sql<{ count: number }[]>`
        select count(*) filter (where pg_terminate_backend(pid))::int as count
        from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
      `
      return { count: row?.count ?? 0, which: 'all' }
    } finally {
      await sql.end({ timeout: 1 })
    }
  })
}

const single = (
  backend: BackendName,
  server: { readonly url: string; readonly port: number; stop(): Promise<void> } & Omit<SoakNode, 'name'>,
  killConnections: SoakServer['killConnections'],
): SoakServer => {
  const node: SoakNode = {
    name: 'server',
    get processId() {
      return server.processId
    },
    kill: server.kill,
    restart: server.restart,
  }
  return {
    backend,
    url: server.url,
    port: server.port,
    size: 1,
    node: async () => node,
    settled: async () => {},
    stop: server.stop,
    killConnections,
  }
}
