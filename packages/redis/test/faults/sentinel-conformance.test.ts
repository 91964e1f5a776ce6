import { testBackend } from '@ps/conformance'
import {
  type FaultProxy,
  type RedisSentinel,
  RedisUnavailable,
  startFaultProxy,
  startRedisSentinel,
} from '@ps/services'
import { afterAll, beforeAll } from 'vitest'
import { createBackend } from '../../src/index.js'

let sentinel: RedisSentinel | undefined
let proxy: FaultProxy | undefined
let missing = ''
let crashed = false
beforeAll(async () => {
  try {
    // Without a replica: what is suite's to break is the way to the master, and it comes back as the same.
    sentinel = await startRedisSentinel({
      replicas: 0,
      async announce(port) {
        proxy = await startFaultProxy({ port })
        return proxy.port
      },
    })
  } catch (error) {
    if (!(error instanceof RedisUnavailable) || process.env.CI) throw error
    missing = error.message
  }
})
afterAll(async () => {
  await proxy?.close()
  await sentinel?.stop()
})

testBackend('redis sentinel', {
  create: ({ skip }) => createBackend({ url: sentinel?.url ?? skip(missing) }),
  interrupt: {
    cut: () => void proxy?.cut(),
    freeze: () => proxy?.freeze(),
    thaw: () => proxy?.thaw(),
    async stop() {
      crashed = true
      sentinel?.servers[0]?.kill('SIGKILL')
      await sentinel?.servers[0]?.halt()
    },
    async start() {
      if (crashed) await sentinel?.servers[0]?.restart()
      crashed = false
    },
  },
  async subscriptions(channel) {
    const reply = await sentinel?.servers[0]?.command('PUBSUB', 'NUMSUB', channel)
    return Number(Array.isArray(reply) ? reply[1] : 0)
  },
  outage: 3_000,
})
