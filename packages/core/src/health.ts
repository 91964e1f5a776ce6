import type { Broker } from './broker.js'
import type { BackendHealth, ClientState, Counts, Health } from './client.js'
import { settledWithin } from './deadline.js'
import { describeError } from './errors.js'
import type { PublishQueue } from './publish-queue.js'
import type { Recovery } from './recovery/recovery.js'
import type { Route } from './route.js'

const pingTimeout = 2_000

export interface HealthSources {
  readonly brokers: readonly Broker[]
  readonly route: Route
  readonly queue: PublishQueue
  readonly counts: Counts
  readonly recovery: Recovery | undefined
}

/** `ready` where all of `states` are, `down` where none is. */
export function combinedState(states: readonly ('ready' | 'down')[]): ClientState {
  const ready = states.filter((state) => state === 'ready').length
  if (ready === states.length) return 'ready'
  return ready === 0 ? 'down' : 'degraded'
}

/** Asks every broker by a round trip. */
export async function checkHealth({
  brokers,
  route,
  queue,
  counts,
  recovery,
}: HealthSources): Promise<Health> {
  const backends = await Promise.all(brokers.map(checkBackend))
  return {
    backend: route.chosen.name,
    state: combinedState(backends.map(({ state }) => state)),
    latencyMs: backends[brokers.indexOf(route.chosen)]?.latencyMs ?? null,
    reason: route.reason,
    since: new Date(route.since).toISOString(),
    backends,
    recovery: recovery?.health() ?? null,
    queued: { messages: queue.messages, bytes: queue.bytes },
    counts,
  }
}

async function checkBackend(broker: Broker): Promise<BackendHealth> {
  const { name } = broker
  const started = performance.now()
  let failure: unknown
  const ping = (async () => broker.backend.ping())().catch((error: unknown) => {
    failure = error
  })
  const answered = await settledWithin(ping, pingTimeout)
  if (!answered) return { name, state: 'down', latencyMs: null, reason: `no answer within ${pingTimeout} ms` }
  // The publishing connection may answer while the listening one is being repaired: that is down, too.
  const error = broker.state === 'ready' ? failure : (broker.cause ?? failure ?? 'it is reconnecting')
  if (error !== undefined) return { name, state: 'down', latencyMs: null, reason: describeError(error) }
  return { name, state: 'ready', latencyMs: Math.round((performance.now() - started) * 100) / 100 }
}
