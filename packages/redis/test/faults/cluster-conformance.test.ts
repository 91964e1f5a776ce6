import { testBackend } from '@ps/conformance'
import {
  type FaultProxy,
  type RedisCluster,
  RedisUnavailable,
  startFaultProxy,
  startRedisCluster,
} from '@ps/services'
import { afterAll, beforeAll } from 'vitest'
import { createBackend } from '../../src/index.js'

let cluster: RedisCluster | undefined
let missing = ''
const proxies: FaultProxy[] = []
let crashed = false
beforeAll(async () => {
  try {
    cluster = await startRedisCluster({
      nodeTimeout: 1_000,
      // A client finds the nodes by what they say of themselves.
      async announce(port) {
        const proxy = await startFaultProxy({ port })
        proxies.push(proxy)
        return proxy.port
      },
    })
  } catch (error) {
    if (!(error instanceof RedisUnavailable) || process.env.CI) throw error
    missing = error.message
  }
})
afterAll(async () => {
  for (const proxy of proxies) await proxy.close()
  await cluster?.stop()
})

testBackend('redis cluster', {
  create: ({ skip }) => createBackend({ url: cluster?.url ?? skip(missing) }),
  interrupt: {
    cut: () => proxies.forEach((proxy) => proxy.cut()),
    freeze: () => proxies.forEach((proxy) => proxy.freeze()),
    thaw: () => proxies.forEach((proxy) => proxy.thaw()),
    async stop() {
      crashed = true
      for (const node of cluster?.nodes ?? []) node.kill('SIGKILL')
      await Promise.all(cluster?.nodes.map((node) => node.halt()) ?? [])
    },
    async start() {
      if (!crashed) return
      await Promise.all(cluster?.nodes.map((node) => node.restart()) ?? [])
      // A cluster has started when its nodes have found each other.
      await cluster?.settled()
      crashed = false
    },
  },
  async subscriptions(channel) {
    const counts = await Promise.all(
      cluster?.nodes.map((node) => node.command('PUBSUB', 'SHARDNUMSUB', channel)) ?? [],
    )
    return counts.reduce<number>((sum, reply) => sum + Number(Array.isArray(reply) ? reply[1] : 0), 0)
  },
  outage: 3_000,
})
