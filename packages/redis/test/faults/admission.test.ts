import { waitFor } from '@ps/services/vitest'
import { Redis } from 'ioredis'
import { expect, it, type TestContext } from 'vitest'
import { createBackend } from '../../src/index.js'
import { connectAdmin, inspectDeep, startOwnRedis } from '../observed-backend.js'
import { expectToldOnce, killConnections, openClient, survive, type Told } from './struck-clients.js'

const tellsOf =
  (words: string) =>
  ({ warnings }: Told): boolean =>
    warnings.some((line) => line.includes(words))

async function rejectedConnections(admin: Redis): Promise<number> {
  return Number(/rejected_connections:(\d+)/.exec(await admin.info('stats'))?.[1])
}

async function takeAllPlaces(admin: Redis): Promise<void> {
  await admin.config('SET', 'maxclients', '1')
}

async function givePlaces(admin: Redis): Promise<void> {
  await admin.config('SET', 'maxclients', '100')
}

it('a server without a place at the start is waited for, named once, and used when it has one', async (test) => {
  const server = await startOwnRedis(test)
  const admin = connectAdmin(test, server.url)
  await takeAllPlaces(admin)
  const struck = await openClient(test, server.url)
  expect(await struck.client.health()).toMatchObject({
    state: 'down',
    backends: [{ reason: expect.stringContaining('max number of clients reached') }],
  })
  const listening = struck.hear('c')
  await waitFor(async () => (await rejectedConnections(admin)) > 10)
  await givePlaces(admin)
  const heard = await listening
  expect(await struck.client.publish('c', 1)).toBe(true)
  await waitFor(() => heard.length === 1)
  expect(heard).toEqual([1])
  expect(struck.states.map(({ state }) => state)).toEqual(['ready'])
  expect(struck.warnings.length, struck.warnings.join('\n')).toBeLessThanOrEqual(3)
})

it('a server without a place after a kill is tried on, named once, and used when it has one, with one gap', async (test) => {
  const server = await startOwnRedis(test)
  const admin = connectAdmin(test, server.url)
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: server.url }),
    async fault(traffic) {
      await takeAllPlaces(admin)
      expect(await killConnections(admin, 'PUBSUB')).toBe(1)
      expect(await killConnections(admin, 'NORMAL')).toBeGreaterThanOrEqual(3)
      await traffic.noticed()
      await waitFor(async () => (await rejectedConnections(admin)) > 10)
      await givePlaces(admin)
    },
  })
  for (const client of [publisher, listener]) {
    expect(tellsOf('max number of clients reached')(client)).toBe(true)
    expectToldOnce(client, 1)
  }
})

it('a server that closes idle connections after 2 s closes none of the client’s', {
  timeout: 60_000,
}, async (test) => {
  const server = await startOwnRedis(test, { settings: { timeout: '2' } })
  const struck = await openClient(test, server.url)
  const heard = await struck.hear('c')
  // A connection that is idle shows that the time has come, and come again.
  for (let time = 1; time <= 3; time += 1) {
    const idle = new Redis(server.url, { retryStrategy: null })
    test.onTestFinished(() => idle.disconnect())
    await idle.ping()
    await new Promise((resolve) => idle.once('end', resolve))
  }
  expect(await struck.client.publish('c', 1)).toBe(true)
  await waitFor(() => heard.length === 1)
  expect(heard).toEqual([1])
  expectToldOnce(struck, 0, { otherLines: 0 })
})

const limited = async (
  test: TestContext,
): Promise<{ admin: Redis; url: string; allow(...rules: string[]): Promise<void> }> => {
  const server = await startOwnRedis(test)
  const admin = connectAdmin(test, server.url)
  const allow = async (...rules: string[]): Promise<void> =>
    void (await admin.acl('SETUSER', 'limited', 'on', ...rules))
  await allow('>hunter2', 'resetchannels', '&c', '+@all')
  return { admin, allow, url: `redis://limited:hunter2@127.0.0.1:${server.port}` }
}

it('a channel that the user may not use is refused at once, once, and no other is disturbed', async (test) => {
  const { admin, url } = await limited(test)
  const { client, ...told } = await openClient(test, url)
  const heard = await told.hear('c')
  await expect(client.listen('forbidden', () => {})).rejects.toMatchObject({ code: 'not_permitted' })
  await expect(client.publish('forbidden', 1)).rejects.toMatchObject({ code: 'not_permitted' })
  const mixed = await Promise.allSettled([
    client.publish('c', 1),
    client.publish('forbidden', 2),
    client.publish('c', 3),
    client.listen('forbidden', () => {}),
    client.listen('c', () => {}),
  ])
  expect(mixed.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
  await waitFor(() => heard.length === 2)
  expect(heard).toEqual([1, 3])
  // The server counts what it has refused: each call once.
  const [refusals] = (await admin.acl('LOG')) as unknown[][]
  expect(refusals?.slice(0, 8)).toEqual(
    expect.arrayContaining(['count', 4, 'reason', 'channel', 'object', 'forbidden']),
  )
  expectToldOnce(told, 0, { otherLines: 0 })
})

it('a right that is taken from a live listener is told as down once, and given back as one gap', async (test) => {
  const { url, allow } = await limited(test)
  const struck = await openClient(test, url)
  const heard = await struck.hear('c')
  await allow('resetchannels')
  await waitFor(() => tellsOf('NOPERM')(struck))
  expect(await struck.client.health()).toMatchObject({
    state: 'down',
    backends: [{ reason: expect.stringContaining('NOPERM') }],
  })
  await allow('&c')
  await struck.ready()
  expect(await struck.client.publish('c', 1)).toBe(true)
  await waitFor(() => heard.length === 2)
  expect(heard).toEqual(['gap', 1])
  expectToldOnce(struck, 1)
})

it('a password that is changed under running clients is tried on, said, never shown, and taken when it is right again', async (test) => {
  const server = await startOwnRedis(test, { password: 'hunter2' })
  const admin = connectAdmin(test, server.url)
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: server.url }),
    async fault(traffic) {
      await admin.config('SET', 'requirepass', 'correct-horse')
      expect(await killConnections(admin, 'PUBSUB')).toBe(1)
      expect(await killConnections(admin, 'NORMAL')).toBeGreaterThanOrEqual(3)
      for (const client of [traffic.publisher, traffic.listener])
        await waitFor(() => tellsOf('check both in the URL')(client))
      await admin.config('SET', 'requirepass', 'hunter2')
    },
  })
  for (const client of [publisher, listener]) {
    expectToldOnce(client, 1)
    const { warnings, errors, states } = client
    const told = inspectDeep({ warnings, errors, states })
    expect(told).toContain('WRONGPASS')
    expect(told).not.toMatch(/hunter2|correct-horse/)
  }
})

it.for([
  {
    what: 'whose memory is full',
    words: 'OOM',
    strike: (admin: Redis) => admin.config('SET', 'maxmemory', '1'),
  },
  {
    what: 'that is short of replicas',
    words: 'NOREPLICAS',
    strike: (admin: Redis) => admin.config('SET', 'min-replicas-to-write', '1'),
  },
])('a server $what takes no data, and moves messages all the same', async ({ words, strike }, test) => {
  const server = await startOwnRedis(test)
  const admin = connectAdmin(test, server.url)
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: server.url }),
    gaps: { atLeast: 0, atMost: 0 },
    async fault(traffic) {
      await strike(admin)
      await expect(admin.set('key', 'value')).rejects.toThrow(words)
      // New subscriptions, too.
      await traffic.listener.hear('another')
      await traffic.flow(100)
    },
  })
  for (const client of [publisher, listener]) expectToldOnce(client, 0, { otherLines: 0 })
})
