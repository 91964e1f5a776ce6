import { requireRedis, uniqueName } from '@ps/services/vitest'
import { expect, inject, it } from 'vitest'
import { startFleet } from './fleet.js'

const variables = (backend: string, fallback: string): Record<string, string> => ({
  PUBSUB_BACKEND: backend,
  PUBSUB_FALLBACK: fallback,
})

it('a running fleet that is restarted one by one moves from Postgres to Redis and back, and nothing is lost, doubled or out of order', {
  timeout: 300_000,
}, async (context) => {
  const shared = {
    DATABASE_URL: inject('postgresUrl'),
    REDIS_URL: requireRedis(context),
    PUBSUB_PREFIX: `${uniqueName('migration')}:`,
  }
  const fleet = await startFleet(2, shared, variables('postgres', 'none'))
  context.onTestFinished(fleet.kill)
  // Who restarts first within a step must not matter, so it is tried both ways.
  const steps = [
    ['postgres', 'redis', 'publishers'],
    ['redis', 'postgres', 'listeners'],
    ['redis', 'none', 'publishers'],
    ['redis', 'postgres', 'listeners'],
    ['postgres', 'redis', 'publishers'],
    ['postgres', 'none', 'listeners'],
  ] as const
  for (const [backend, fallback, first] of steps) {
    await fleet.restartEach(variables(backend, fallback), first)
    expect(await fleet.backends()).toEqual([backend, backend])
  }
  expect(await fleet.finish()).toEqual([])
})
