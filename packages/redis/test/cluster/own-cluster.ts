import {
  type RedisCluster,
  type RedisClusterOptions,
  RedisUnavailable,
  startRedisCluster,
} from '@ps/services'
import type { TestContext } from 'vitest'

/** A Redis Cluster that this test may break. */
export async function startOwnCluster(
  test: TestContext,
  options: RedisClusterOptions = {},
): Promise<RedisCluster> {
  try {
    const cluster = await startRedisCluster(options)
    test.onTestFinished(() => cluster.stop())
    return cluster
  } catch (error) {
    if (error instanceof RedisUnavailable && !process.env.CI) return test.skip(error.message)
    throw error
  }
}
