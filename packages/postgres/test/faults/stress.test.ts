import { testBackend } from '@ps/conformance'
import { type PostgresServer, startPostgres } from '@ps/services'
import { afterAll, beforeAll } from 'vitest'
import { createBackend } from '../../src/index.js'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ settings: { max_connections: 300 } })
})
afterAll(() => server.stop())

testBackend('postgres, ten at once', {
  create: () => createBackend({ url: server.url }),
  interrupt: { notApplicable: 'this run is for stress; the other one interrupts' },
  subscriptions: { notApplicable: 'PostgreSQL does not tell who listens to what' },
  times: 10,
})
