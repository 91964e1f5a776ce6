import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { createBackend } from '../../src/index.js'
import { connectAdmin, startOwnRedis } from '../observed-backend.js'
import { expectToldOnce, openClient, survive } from './struck-clients.js'

it('what is published while the server has not started yet is sent, in order, when it has', async (test) => {
  const port = await freePort()
  const struck = await openClient(test, `redis://127.0.0.1:${port}`, { publishTimeout: 20_000 })
  const listening = struck.hear('c')
  expect(await struck.client.health()).toMatchObject({
    state: 'down',
    backends: [{ reason: expect.stringContaining('ECONNREFUSED') }],
  })
  const numbers = Array.from({ length: 100 }, (_, index) => index)
  const publishing = Promise.all(numbers.map((number) => struck.client.publish('c', number)))
  await startOwnRedis(test, { port })
  expect(new Set(await publishing)).toEqual(new Set([true]))
  const heard = await listening
  await waitFor(() => heard.length === numbers.length)
  expect(heard).toEqual(numbers)
  expect(struck.states.map(({ state }) => state)).toEqual(['ready'])
  expect(struck.errors).toEqual([])
  expect(struck.warnings.length, struck.warnings.join('\n')).toBeLessThanOrEqual(3)
})

it('a server that is killed and started again, five times under load, is five gaps', {
  timeout: 60_000,
}, async (test) => {
  const server = await startOwnRedis(test)
  const processes = new Set([server.processId])
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: server.url }),
    gaps: { atLeast: 5, atMost: 5 },
    async fault(traffic) {
      for (let time = 1; time <= 5; time += 1) {
        server.kill('SIGKILL')
        await traffic.noticed()
        await server.restart()
        processes.add(server.processId)
        await traffic.recovered()
        await traffic.flow(50)
      }
    },
  })
  expect(processes.size).toBe(6)
  for (const client of [publisher, listener]) expectToldOnce(client, 5)
})

it('a server that stands still for 5 s is one gap, and what it executes afterwards comes once', {
  timeout: 60_000,
}, async (test) => {
  const server = await startOwnRedis(test)
  const admin = connectAdmin(test, server.url)
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: server.url }),
    async fault(traffic) {
      server.kill('SIGSTOP')
      // How long it stands still is the case.
      await sleep(5_000)
      for (const client of [traffic.publisher, traffic.listener])
        await waitFor(() => client.states.length === 1)
      server.kill('SIGCONT')
      await admin.ping()
    },
  })
  for (const client of [publisher, listener]) {
    expect(client.errors.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('the server has not answered for 3 s'),
    )
    expectToldOnce(client, 1)
  }
})
