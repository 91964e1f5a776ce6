import { describe, expect, it } from 'vitest'
import { createClient, isPubSubError, planClient, silentLogger } from '../src/index.js'
import { createControlledBackend } from './controlled-backend.js'

const backends = {
  redis: () => createControlledBackend('redis'),
  postgres: () => createControlledBackend('postgres'),
}
const DATABASE_URL = 'postgres://someone:s3cret@db/app'

describe('the choice of the backend', () => {
  it.each([
    [{ DATABASE_URL }, ['postgres'], 'backend postgres (the default), no fallback'],
    [{ DATABASE_URL, PUBSUB_BACKEND: '' }, ['postgres'], 'backend postgres (the default), no fallback'],
    [{ PUBSUB_BACKEND: 'redis' }, ['redis'], 'backend redis (PUBSUB_BACKEND=redis), no fallback'],
    [
      { PUBSUB_BACKEND: 'redis', DATABASE_URL },
      ['redis', 'postgres'],
      'backend redis (PUBSUB_BACKEND=redis), fallback postgres (DATABASE_URL is set)',
    ],
    [
      { PUBSUB_BACKEND: 'redis', DATABASE_URL, PUBSUB_FALLBACK: 'none' },
      ['redis'],
      'backend redis (PUBSUB_BACKEND=redis), no fallback',
    ],
    [
      { PUBSUB_BACKEND: 'postgres', DATABASE_URL, PUBSUB_FALLBACK: 'redis' },
      ['postgres', 'redis'],
      'backend postgres (PUBSUB_BACKEND=postgres), fallback redis (PUBSUB_FALLBACK=redis)',
    ],
    [{ PUBSUB_BACKEND: 'memory' }, ['memory'], 'backend memory (PUBSUB_BACKEND=memory), no fallback'],
  ])('%j means %j', (environment, chosen, explanation) => {
    expect(planClient({ environment, backends })).toEqual({ backends: chosen, explanation, warnings: [] })
  })

  it('takes postgres with a warning where redis is chosen and not installed', () => {
    const environment = { PUBSUB_BACKEND: 'redis', DATABASE_URL }
    const plan = planClient({ environment, backends: { postgres: backends.postgres } })
    expect(plan.backends).toEqual(['postgres'])
    expect(plan.warnings).toEqual([
      '@ps/redis is not installed: using postgres instead; install @ps/redis to use Redis',
    ])
  })

  it('does without a defaulted fallback that is not installed, and says so', () => {
    const environment = { PUBSUB_BACKEND: 'redis', DATABASE_URL }
    const plan = planClient({ environment, backends: { redis: backends.redis } })
    expect(plan.backends).toEqual(['redis'])
    expect(plan.warnings).toEqual(['no fallback: @ps/postgres is not installed'])
  })
})

describe('bad configuration', () => {
  const failure = async (environment: Record<string, string>, given = {}): Promise<string> => {
    try {
      await createClient({ environment, backends, log: silentLogger, ...given })
    } catch (error) {
      if (isPubSubError(error)) return `${error.code}: ${error.message}`
      throw error
    }
    return 'nothing was thrown'
  }

  it.each([
    [
      { PUBSUB_BACKEND: 'kafka' },
      'configuration: PUBSUB_BACKEND is "kafka": use one of redis, postgres, memory',
    ],
    [{}, 'configuration: DATABASE_URL is not set: set it to the PostgreSQL to use, for example postgres://'],
    [{ REDIS_URL: 'redis://x' }, 'only REDIS_URL is set: to use Redis, set PUBSUB_BACKEND=redis'],
    [
      { DATABASE_URL, PUBSUB_FALLBACK: 'kafka' },
      'PUBSUB_FALLBACK is "kafka": use one of redis, postgres, memory, none',
    ],
    [{ PUBSUB_BACKEND: DATABASE_URL }, 'PUBSUB_BACKEND is "postgres:": use one of redis, postgres, memory'],
    [{ DATABASE_URL, PUBSUB_FALLBACK: 'redis://:s3cret@cache' }, 'PUBSUB_FALLBACK is "redis:": use one of'],
    [{ DATABASE_URL, PUBSUB_FALLBACK: 'postgres' }, 'is "postgres", which is the backend itself'],
    [{ DATABASE_URL, PUBSUB_FALLBACK: 'memory' }, 'the memory backend neither has a fallback nor is one'],
    [{ PUBSUB_BACKEND: 'redis', PUBSUB_FALLBACK: 'postgres' }, 'configuration: DATABASE_URL is not set'],
    [{ DATABASE_URL, PUBSUB_PUBLISH_TIMEOUT: '5s' }, 'PUBSUB_PUBLISH_TIMEOUT is "5s": use a whole number'],
  ])('%j is told in one clear line', async (environment, words) => {
    const told = await failure(environment)
    expect(told).toContain(words)
    expect(told).not.toContain('\n')
    expect(told).not.toContain('s3cret')
  })

  it('names the package to install when the backend is missing, and where it looked', async () => {
    const told = await failure({ DATABASE_URL }, { backends: { redis: backends.redis } })
    expect(told).toMatch(
      /^backend_missing: the package @ps\/postgres is not installed: install it \(npm install @ps\/postgres\)/,
    )
    expect(told).toContain(process.cwd())
  })

  it('makes an explicit fallback that is not installed an error', async () => {
    const environment = { PUBSUB_BACKEND: 'redis', DATABASE_URL, PUBSUB_FALLBACK: 'postgres' }
    expect(await failure(environment, { backends: { redis: backends.redis } })).toContain(
      'backend_missing: the package @ps/postgres',
    )
  })

  it('refuses the memory backend where messages must leave the process', async () => {
    expect(await failure({ PUBSUB_BACKEND: 'memory' }, { acrossProcesses: true })).toContain(
      'set PUBSUB_BACKEND to postgres or redis',
    )
  })
})

describe('loading', () => {
  it('imports only the backends that are used', async () => {
    const loaded: string[] = []
    const record = (name: 'redis' | 'postgres') => () => {
      loaded.push(name)
      return backends[name]()
    }
    const client = await createClient({
      environment: { DATABASE_URL },
      backends: { redis: record('redis'), postgres: record('postgres') },
      log: silentLogger,
    })
    await client.close()
    expect(loaded).toEqual(['postgres'])
  })

  it('writes one line that says which backend is used and why', async () => {
    const lines: string[] = []
    const client = await createClient({
      environment: { DATABASE_URL },
      backends,
      log: { ...silentLogger, info: (line) => lines.push(line) },
    })
    await client.close()
    expect(lines).toEqual(['backend postgres (the default), no fallback'])
  })
})
