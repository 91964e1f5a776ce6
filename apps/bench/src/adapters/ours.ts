import { createClient, planClient, silentLogger } from '@ps/core'
import type { Adapter, BenchMessage } from '../adapter.js'

const backends = { redis: () => import('@ps/redis'), postgres: () => import('@ps/postgres') }

type BackendName = keyof typeof backends

interface OursOptions {
  readonly packing?: 'on'
  /** The backend to fall back on, and where its server is. */
  readonly standby?: { readonly backend: BackendName; readonly url: string }
}

const urlFor = (backend: BackendName, url: string) =>
  backend === 'redis' ? { redisUrl: url } : { databaseUrl: url }

/** `packing` undefined: whatever is the default. */
export async function connectOurs(
  backend: BackendName,
  url: string,
  { packing, standby }: OursOptions = {},
): Promise<Adapter> {
  const client = await createClient<Record<string, BenchMessage>>({
    backend,
    fallback: standby?.backend ?? 'none',
    ...urlFor(backend, url),
    ...(standby !== undefined && urlFor(standby.backend, standby.url)),
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
