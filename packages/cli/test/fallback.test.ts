import { type Client, createClient, silentLogger } from '@ps/core'
import { freePort, type RedisServer, startRedis } from '@ps/services'
import { requireRedis, uniqueName, waitFor } from '@ps/services/vitest'
import { afterEach, expect, inject, it } from 'vitest'

// The client over both real backends: this package is the one that has both.

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function openClient(redisUrl: string): Promise<{ client: Client; states: string[] }> {
  const client = await createClient({
    backend: 'redis',
    redisUrl,
    databaseUrl: inject('postgresUrl'),
    returnAfter: 200,
    environment: {},
    backends: { redis: () => import('@ps/redis'), postgres: () => import('@ps/postgres') },
    log: silentLogger,
  })
  cleanups.push(() => client.close())
  const states: string[] = []
  client.on('state', ({ state, backend }) => states.push(`${state} ${backend}`))
  return { client, states }
}

async function startOn(port: number): Promise<RedisServer> {
  const server = await startRedis({ port })
  cleanups.push(() => server.stop())
  return server
}

it('works over postgres while redis is not there, and takes redis up by itself when it comes', async (context) => {
  requireRedis(context)
  const port = await freePort()
  const { client } = await openClient(`redis://127.0.0.1:${port}`)
  const channel = uniqueName('c')
  const seen: unknown[] = []
  await client.listen(channel, (message) => seen.push(message))
  expect(await client.publish(channel, 1)).toBe(true)
  expect(await client.health()).toMatchObject({ backend: 'postgres', state: 'degraded' })
  await startOn(port)
  await waitFor(async () => (await client.health()).backend === 'redis', { what: 'redis to be taken up' })
  expect(await client.publish(channel, 2)).toBe(true)
  await waitFor(() => seen.length === 2, { what: 'both messages' })
  expect(seen).toEqual([1, 2])
})

it('carries on over postgres when redis is killed under load, loses, doubles and reorders nothing, and goes back', async (context) => {
  requireRedis(context)
  const port = await freePort()
  const redis = await startOn(port)
  const { client, states } = await openClient(redis.url)
  const channel = uniqueName('c')
  const seen: number[] = []
  const accepted: number[] = []
  await client.listen(channel, (message) => seen.push(Number(message)))

  let number = 0
  const publishNext = async (): Promise<void> => {
    number += 1
    const mine = number
    if (await client.publish(channel, mine)) accepted.push(mine)
  }
  const publishUntil = async (isOver: () => boolean): Promise<void> => {
    while (!isOver()) await Promise.all(Array.from({ length: 20 }, publishNext))
  }

  await publishUntil(() => accepted.length >= 1_000)
  redis.kill('SIGKILL')
  await publishUntil(() => states.includes('degraded postgres') && accepted.length >= 2_000)
  await redis.restart()
  await publishUntil(() => states.at(-1) === 'ready redis')
  const last = accepted.length
  await publishUntil(() => accepted.length >= last + 1_000)
  await waitFor(() => seen.length >= accepted.length, { what: 'all that was accepted' })
  expect(seen).toEqual(Array.from({ length: number }, (_, index) => index + 1))
  expect(accepted.length).toBe(number)
})

it('hears what plain publishers say on either broker', async (context) => {
  const redisUrl = requireRedis(context)
  const { client } = await openClient(redisUrl)
  const channel = uniqueName('c')
  const seen: unknown[] = []
  await client.listen(channel, (message) => seen.push(message))
  const plain = async (backend: 'redis' | 'postgres', message: unknown): Promise<void> => {
    const publisher = await createClient({
      backend,
      fallback: 'none',
      redisUrl,
      databaseUrl: inject('postgresUrl'),
      environment: {},
      backends: { redis: () => import('@ps/redis'), postgres: () => import('@ps/postgres') },
      log: silentLogger,
    })
    cleanups.push(() => publisher.close())
    await publisher.publish(channel, message)
  }
  await plain('redis', 'over redis')
  await plain('postgres', 'over postgres')
  await waitFor(() => seen.length === 2, { what: 'both messages' })
  expect(new Set(seen)).toEqual(new Set(['over postgres', 'over redis']))
})
