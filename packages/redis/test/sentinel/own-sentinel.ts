import {
  type RedisSentinel,
  type RedisSentinelOptions,
  RedisUnavailable,
  startRedisSentinel,
} from '@ps/services'
import type { TestContext } from 'vitest'

/** A Redis with sentinels that this test may break. */
export async function startOwnSentinel(
  test: TestContext,
  options: RedisSentinelOptions = {},
): Promise<RedisSentinel> {
  try {
    const sentinel = await startRedisSentinel(options)
    test.onTestFinished(() => sentinel.stop())
    return sentinel
  } catch (error) {
    if (error instanceof RedisUnavailable && !process.env.CI) return test.skip(error.message)
    throw error
  }
}
