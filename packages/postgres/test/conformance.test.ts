import { testBackend } from '@ps/conformance'
import { type FaultProxy, type PostgresServer, startFaultProxy, startPostgres } from '@ps/services'
import { afterAll, beforeAll } from 'vitest'
import { createBackend } from '../src/index.js'

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

testBackend('postgres', {
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
})
