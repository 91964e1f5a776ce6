import { startPostgres, startRedis } from '@ps/services'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import type { Random } from './random.js'

/** The broker of a fleet. */
export interface SoakServer {
  readonly url: string
  readonly port: number
  readonly processId: number
  kill(signal: NodeJS.Signals): void
  restart(): Promise<void>
  stop(): Promise<void>
  /** Has the server kill its connections. Returns how many it killed, and which. */
  killConnections(random: Random): Promise<{ readonly count: number; readonly which: string }>
}

/** The backends that can be soaked. */
export const backendNames = ['redis', 'postgres'] as const
export type BackendName = (typeof backendNames)[number]

/** What a client of the backend reads from its environment. */
export const environmentOf = (backend: BackendName, url: string): Record<string, string> => ({
  PUBSUB_BACKEND: backend,
  PUBSUB_FALLBACK: 'none',
  [backend === 'redis' ? 'REDIS_URL' : 'DATABASE_URL']: url,
})

export const startSoakServer = (backend: BackendName): Promise<SoakServer> =>
  backend === 'redis' ? startSoakRedis() : startSoakPostgres()

async function startSoakRedis(): Promise<SoakServer> {
  const server = await startRedis()
  return withKillConnections(server, async (random) => {
    const redis = new Redis(server.url, { lazyConnect: true, retryStrategy: null })
    // Its failures reject the command.
    redis.on('error', () => {})
    const which = random.pick(['normal', 'pubsub', 'both'])
    try {
      await redis.connect()
      let count = 0
      for (const type of which === 'both' ? (['normal', 'pubsub'] as const) : [which]) {
        count += Number(await redis.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes'))
      }
      return { count, which }
    } finally {
      redis.disconnect()
    }
  })
}

async function startSoakPostgres(): Promise<SoakServer> {
  const server = await startPostgres()
  return withKillConnections(server, async () => {
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

const withKillConnections = (
  server: Omit<SoakServer, 'killConnections'>,
  killConnections: SoakServer['killConnections'],
): SoakServer => ({
  url: server.url,
  port: server.port,
  get processId() {
    return server.processId
  },
  kill: server.kill,
  restart: server.restart,
  stop: server.stop,
  killConnections,
})
