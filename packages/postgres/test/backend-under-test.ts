import type { BackendUnderTest } from '@ps/conformance'
import { type FaultProxy, type PostgresServer, startFaultProxy, startPostgres } from '@ps/services'
import { afterAll, beforeAll } from 'vitest'
import { createBackend } from '../src/index.js'

/** What the suite needs, over a broker of the test file's own that it can break. */
export function backendUnderTest(): BackendUnderTest {
  let server: PostgresServer
  let proxy: FaultProxy
  let crashed = false
  beforeAll(async () => {
    server = await startPostgres()
    proxy = await startFaultProxy({ port: server.port })
  })
  afterAll(async () => {
    await proxy.close()
    await server.stop()
  })

  return {
    create: () => createBackend({ url: proxy.through(server.url) }),
    interrupt: {
      cut: () => void proxy.cut(),
      freeze: () => proxy.freeze(),
      thaw: () => proxy.thaw(),
      async stop() {
        crashed = true
        server.kill('SIGKILL')
        await server.halt()
      },
      async start() {
        if (crashed) await server.restart()
        crashed = false
      },
    },
    subscriptions: { notApplicable: 'PostgreSQL does not tell who listens to what' },
    outage: 3_000,
  }
}
