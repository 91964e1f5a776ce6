import { randomUUID } from 'node:crypto'
import { inject, type TestContext } from 'vitest'
import type { TestProject } from 'vitest/node'
import { type PgBouncer, type PgBouncerOptions, PgBouncerUnavailable, startPgBouncer } from './pgbouncer.js'
import { startPostgres } from './postgres.js'
import { RedisUnavailable, startRedis } from './redis.js'
import type { RedisServer } from './redis-server.js'
import {
  type ReverseProxy,
  type ReverseProxyOptions,
  ReverseProxyUnavailable,
  startReverseProxy,
} from './reverse-proxy.js'

export { findingPeers, findPeers, type Peer, requirePeer } from './peer.js'
export { readmeExamples, runExample } from './readme-examples.js'
export {
  type Program,
  type ProgramEnd,
  type ProgramOptions,
  spawnCommand,
  spawnProgram,
} from './spawn-program.js'
export { waitFor, type WaitForOptions, withDeadline } from './wait-for.js'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
    /** Empty where no Redis can be had; then `redisMissing` says why. */
    redisUrl: string
    redisMissing: string
  }
}

/** Vitest's global setup: one PostgreSQL and one Redis for the whole run, or those of `DATABASE_URL` and `REDIS_URL`. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { DATABASE_URL, REDIS_URL } = process.env
  const [postgres, redis] = await Promise.all([
    DATABASE_URL ? undefined : startPostgres(),
    REDIS_URL ? undefined : startRedis().catch((error: unknown) => asUnavailable(error)),
  ])
  const redisServer: RedisServer | undefined = redis instanceof RedisUnavailable ? undefined : redis
  project.provide('postgresUrl', DATABASE_URL || (postgres?.url ?? ''))
  project.provide('redisUrl', REDIS_URL || (redisServer?.url ?? ''))
  project.provide('redisMissing', redis instanceof RedisUnavailable ? redis.message : '')
  return async () => {
    await Promise.all([postgres?.stop(), redisServer?.stop()])
  }
}

function asUnavailable(error: unknown): RedisUnavailable {
  if (error instanceof RedisUnavailable) return error
  throw error
}

/** The Redis of this run. Where there is none the test is skipped with the reason, and under CI it fails. */
export function requireRedis({ skip }: Pick<TestContext, 'skip'>): string {
  const url = inject('redisUrl')
  if (url !== '') return url
  const reason = inject('redisMissing')
  if (process.env.CI) throw new Error(`this test needs Redis: ${reason}`)
  return skip(reason)
}

/** A PgBouncer before `target`, stopped after the test. Where none can be had the test is skipped with the reason, and under CI it fails. */
export async function requirePgBouncer(
  { skip, onTestFinished }: Pick<TestContext, 'skip' | 'onTestFinished'>,
  options: PgBouncerOptions,
): Promise<PgBouncer> {
  try {
    const bouncer = await startPgBouncer(options)
    onTestFinished(() => bouncer.stop())
    return bouncer
  } catch (error) {
    if (!(error instanceof PgBouncerUnavailable) || process.env.CI) throw error
    return skip(error.message)
  }
}

/** A reverse proxy, stopped after the test. Where it cannot be had the test is skipped with the reason, and under CI it fails. */
export async function requireReverseProxy(
  { skip, onTestFinished }: Pick<TestContext, 'skip' | 'onTestFinished'>,
  options: ReverseProxyOptions,
): Promise<ReverseProxy> {
  try {
    const proxy = await startReverseProxy(options)
    onTestFinished(() => proxy.stop())
    return proxy
  } catch (error) {
    if (!(error instanceof ReverseProxyUnavailable) || process.env.CI) throw error
    return skip(error.message)
  }
}

/**
 * For `fc.configureGlobal`: under CI the same examples every time, so that what fails there fails everywhere; elsewhere new ones
 * with every run.
 */
export const propertyRuns: { readonly seed?: number } = process.env.CI ? { seed: 1 } : {}

/** A name that no other test uses. */
export const uniqueName = (prefix: string): string => `${prefix}-${randomUUID()}`
