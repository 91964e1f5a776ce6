import type { BackendUnderTest } from '@ps/conformance'
import {
  type FaultProxy,
  RedisUnavailable,
  type RedisServer,
  startFaultProxy,
  startRedis,
} from '@ps/services'
import { Redis } from 'ioredis'
import { afterAll, beforeAll } from 'vitest'
import { createBackend } from '../src/index.js'

/** What the suite needs, over a broker of the test file's own that it can break. */
export function backendUnderTest(): BackendUnderTest {
  let server: RedisServer | undefined
  let missing = ''
  let proxy: FaultProxy
  let crashed = false
  beforeAll(async () => {
    try {
      server = await startRedis()
      proxy = await startFaultProxy({ port: server.port })
    } catch (error) {
      if (!(error instanceof RedisUnavailable) || process.env.CI) throw error
      missing = error.message
    }
  })
  afterAll(async () => {
    await proxy?.close()
    await server?.stop()
  })

  return {
    create: ({ skip }) =>
      createBackend({ url: server === undefined ? skip(missing) : proxy.through(server.url) }),
    interrupt: {
      cut: () => void proxy.cut(),
      freeze: () => proxy.freeze(),
      thaw: () => proxy.thaw(),
      async stop() {
        crashed = true
        server?.kill('SIGKILL')
        await server?.halt()
      },
      async start() {
        if (crashed) await server?.restart()
        crashed = false
      },
    },
    async subscriptions(channel) {
      const admin = new Redis(server?.url ?? '')
      try {
        const [, count] = (await admin.pubsub('NUMSUB', channel)) as [string, number]
        return count
      } finally {
        admin.disconnect()
      }
    },
    outage: 3_000,
  }
}
