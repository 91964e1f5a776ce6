import type { Connect } from './adapter.js'

/** The brokers that are measured. */
export const backendNames = ['redis', 'postgres'] as const
export type BackendName = (typeof backendNames)[number]

export interface Contestant {
  readonly name: string
  readonly backend: BackendName
  /** `raw`: a driver by hand, which ratios refer to where it is `base`; `limit`: what no library reaches. */
  readonly kind: 'ours' | 'raw' | 'peer' | 'limit'
  /** Ratios on its backend are against it. */
  readonly base?: true
  /** The backend that it falls back on. */
  readonly standby?: BackendName
  readonly load: () => Promise<Connect>
  /** Why it cannot take part, where it cannot. */
  readonly missing?: () => Promise<string | undefined>
}

const ours = (backend: BackendName): Contestant => ({
  name: '@ps',
  backend,
  kind: 'ours',
  async load() {
    const { connectOurs } = await import('./adapters/ours.js')
    return (url) => connectOurs(backend, url)
  },
})

const packed = (backend: BackendName): Contestant => ({
  name: '@ps packed',
  backend,
  kind: 'ours',
  async load() {
    const { connectOurs } = await import('./adapters/ours.js')
    return (url) => connectOurs(backend, url, { packing: 'on' })
  },
  missing: async () => (await import('./adapters/ours.js')).packingMissing(),
})

const withFallback = (backend: BackendName, standby: BackendName): Contestant => ({
  name: '@ps with fallback',
  backend,
  kind: 'ours',
  standby,
  async load() {
    const { connectOurs } = await import('./adapters/ours.js')
    return (url, _role, standbyUrl = '') =>
      connectOurs(backend, url, { standby: { backend: standby, url: standbyUrl } })
  },
})

/** All that can be measured. Each library is loaded only by the processes that use it. */
export const contestants: readonly Contestant[] = [
  ours('redis'),
  packed('redis'),
  withFallback('redis', 'postgres'),
  {
    name: 'ioredis',
    backend: 'redis',
    kind: 'raw',
    base: true,
    async load() {
      const { connectIoredis } = await import('./adapters/ioredis.js')
      return (url, role) => connectIoredis(url, role, false)
    },
  },
  {
    name: 'ioredis autopipelining',
    backend: 'redis',
    kind: 'raw',
    async load() {
      const { connectIoredis } = await import('./adapters/ioredis.js')
      return (url, role) => connectIoredis(url, role, true)
    },
  },
  {
    name: 'node-redis',
    backend: 'redis',
    kind: 'peer',
    load: async () => (await import('./adapters/node-redis.js')).connectNodeRedis,
  },
  {
    name: '@boringnode/bus',
    backend: 'redis',
    kind: 'peer',
    load: async () => (await import('./adapters/boringnode-bus.js')).connectBoringnodeBus,
  },
  {
    name: 'graphql-redis-subscriptions',
    backend: 'redis',
    kind: 'peer',
    load: async () =>
      (await import('./adapters/graphql-redis-subscriptions.js')).connectGraphqlRedisSubscriptions,
  },
  {
    name: 'mqemitter-redis',
    backend: 'redis',
    kind: 'peer',
    load: async () => (await import('./adapters/mqemitter-redis.js')).connectMqemitterRedis,
  },
  {
    name: 'socket',
    backend: 'redis',
    kind: 'limit',
    load: async () => (await import('./adapters/redis-socket.js')).connectRedisSocket,
  },
  ours('postgres'),
  packed('postgres'),
  withFallback('postgres', 'redis'),
  {
    name: 'postgres.js',
    backend: 'postgres',
    kind: 'raw',
    base: true,
    load: async () => (await import('./adapters/postgres-js.js')).connectPostgresJs,
  },
  {
    name: 'pg',
    backend: 'postgres',
    kind: 'raw',
    load: async () => (await import('./adapters/pg.js')).connectPg,
  },
  {
    name: 'pg-listen',
    backend: 'postgres',
    kind: 'peer',
    load: async () => (await import('./adapters/pg-listen.js')).connectPgListen,
  },
  {
    name: 'pg-pubsub',
    backend: 'postgres',
    kind: 'peer',
    load: async () => (await import('./adapters/pg-pubsub.js')).connectPgPubsub,
  },
  {
    name: 'socket',
    backend: 'postgres',
    kind: 'limit',
    load: async () => (await import('./adapters/postgres-socket.js')).connectPostgresSocket,
  },
]

/** Libraries that were tried and do not run. */
export const leftOut: readonly { readonly name: string; readonly why: string }[] = [
  {
    name: 'graphql-postgres-subscriptions',
    why: 'version 1.0.5, the last, uses pg 7, which does not connect on Node 14 or later',
  },
]
