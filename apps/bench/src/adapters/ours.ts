import { createClient, planClient, silentLogger } from '@ps/core'
import type { Adapter, BenchMessage } from '../adapter.js'

const backends = { redis: () => import('@ps/redis'), postgres: () => import('@ps/postgres') }

/** `packing` undefined: whatever is the default. */
export async function connectOurs(
  backend: 'redis' | 'postgres',
  url: string,
  packing?: 'on',
): Promise<Adapter> {
  const client = await createClient<Record<string, BenchMessage>>({
    backend,
    fallback: 'none',
    ...(backend === 'redis' ? { redisUrl: url } : { databaseUrl: url }),
    backends,
    environment: packing === undefined ? {} : { PUBSUB_PACKING: packing },
    log: silentLogger,
  })
  return {
    publish: (channel, message) => client.publish(channel, message),
    listen: (channel, hear) => client.listen(channel, hear),
    close: () => client.close(),
  }
}

/** Why there is no packing, where there is none. */
export function packingMissing(): string | undefined {
  try {
    planClient({
      backend: 'redis',
      fallback: 'none',
      backends,
      environment: { PUBSUB_PACKING: 'neither on nor off' },
    })
    return 'this build of @ps/core does not read PUBSUB_PACKING'
  } catch {
    return undefined
  }
}
