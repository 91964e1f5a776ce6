import { startPostgres, startRedis } from '@ps/services'

/** A real broker, and what a program needs to use it. */
export interface Broker {
  /** Of the backend: `@ps/<name>`. */
  readonly name: string
  /** The package that its backend depends on. */
  readonly driver: string
  readonly url: string
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export async function startBrokers(): Promise<Broker[]> {
  const [postgres, redis] = await Promise.allSettled([startPostgres(), startRedis()])
  if (postgres.status === 'rejected' || redis.status === 'rejected') {
    await Promise.all([postgres, redis].map(async (each) => each.status === 'fulfilled' && each.value.stop()))
    throw new Error('PostgreSQL and Redis do not both start', {
      cause: postgres.status === 'rejected' ? postgres.reason : redis.status === 'rejected' && redis.reason,
    })
  }
  return [
    {
      name: 'postgres',
      driver: 'postgres',
      url: postgres.value.url,
      // The default: nothing chooses it.
      environment: { DATABASE_URL: postgres.value.url },
      stop: postgres.value.stop,
    },
    {
      name: 'redis',
      driver: 'ioredis',
      url: redis.value.url,
      environment: { PUBSUB_BACKEND: 'redis', REDIS_URL: redis.value.url },
      stop: redis.value.stop,
    },
  ]
}
