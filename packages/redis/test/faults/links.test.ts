import { type FaultProxy, type RedisServer, startFaultProxy } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { expect, it, type TestContext } from 'vitest'
import { createBackend } from '../../src/index.js'
import { connectAdmin, startOwnRedis } from '../observed-backend.js'
import { expectToldOnce, openClient, survive } from './struck-clients.js'

const none = { atLeast: 0, atMost: 0 }

async function startLinked(
  test: TestContext,
): Promise<{ server: RedisServer; proxy: FaultProxy; linked: string }> {
  const server = await startOwnRedis(test)
  const proxy = await startFaultProxy({ port: server.port })
  test.onTestFinished(() => proxy.close())
  return { server, proxy, linked: proxy.through(server.url) }
}

it('a link that is dead for one process only is repaired by it under load, and told to nobody else', async (test) => {
  const { server, proxy, linked } = await startLinked(test)
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: linked }),
    createBystander: () => createBackend({ url: server.url }),
    async fault(traffic) {
      proxy.freeze()
      await traffic.noticed()
      expect(proxy.heldBytes).toBeGreaterThan(0)
      // What was connected then stays dead.
      proxy.cut()
      proxy.thaw()
    },
  })
  for (const client of [publisher, listener]) expectToldOnce(client, 1)
})

it('a link that dies for one process while nobody publishes is repaired by it, and told to nobody else', async (test) => {
  const { server, proxy, linked } = await startLinked(test)
  const [struck, bystander] = [await openClient(test, linked), await openClient(test, server.url)]
  const [heard, apart] = [await struck.hear('c'), await bystander.hear('c')]
  proxy.freeze()
  await waitFor(() => struck.states.length === 1)
  expect(proxy.heldBytes).toBeGreaterThan(0)
  proxy.cut()
  proxy.thaw()
  await struck.ready()
  expect(await bystander.client.publish('c', 'after')).toBe(true)
  await waitFor(() => heard.length === 2 && apart.length === 1)
  expect([heard, apart]).toEqual([['gap', 'after'], ['after']])
  expectToldOnce(struck, 1)
  expectToldOnce(bystander, 0, { otherLines: 0 })
})

it('a link that brings one byte a packet is slow, and nothing else', async (test) => {
  const { proxy, linked } = await startLinked(test)
  proxy.trickle()
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: linked }),
    parallel: 2,
    gaps: none,
    fault: (traffic) => traffic.flow(20),
  })
  expect(proxy.accepted).toBe(4)
  for (const client of [publisher, listener]) expectToldOnce(client, 0, { otherLines: 0 })
})

it('a link that takes 200 ms each way is slow, and nothing else', async (test) => {
  const { proxy, linked } = await startLinked(test)
  proxy.delay(200)
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: linked }),
    parallel: 100,
    gaps: none,
    fault: (traffic) => traffic.flow(500),
  })
  expect(proxy.accepted).toBe(4)
  for (const client of [publisher, listener]) expectToldOnce(client, 0, { otherLines: 0 })
})

it('a listener that takes less than is published is cut by the server, told of one gap, and holds up nobody', async (test) => {
  const { server, proxy, linked } = await startLinked(test)
  const admin = connectAdmin(test, server.url)
  await admin.config('SET', 'client-output-buffer-limit', 'pubsub 1mb 0 0')
  const cuts = (): number => server.log().split('overcoming of output buffer limits').length - 1
  const urls = [server.url, linked]
  const { publisher, listener, refused } = await survive({
    // The publisher is made first.
    create: () => createBackend({ url: urls.shift() ?? linked }),
    createBystander: () => createBackend({ url: server.url }),
    async fault(traffic) {
      const heard = await traffic.listener.hear('bulk')
      proxy.freeze()
      const bulk = 'x'.repeat(1_000_000)
      // What the kernel holds for a link comes before the buffer of the server.
      for (let sent = 0; sent < 30; sent += 1)
        expect(await traffic.publisher.client.publish('bulk', bulk)).toBe(true)
      await waitFor(() => cuts() === 1)
      proxy.thaw()
      await waitFor(() => heard.gaps.length === 1)
      await traffic.listener.ready()
    },
  })
  expect(refused).toBe(0)
  expect(cuts()).toBe(1)
  expectToldOnce(publisher, 0, { otherLines: 0 })
  expectToldOnce(listener, 1)
})
