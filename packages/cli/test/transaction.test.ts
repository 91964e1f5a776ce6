import { type Client, createClient, silentLogger } from '@ps/core'
import { requireRedis, uniqueName, waitFor } from '@ps/services/vitest'
import postgres from 'postgres'
import { expect, inject, it, onTestFinished } from 'vitest'

async function openClient(redisUrl: string): Promise<Client> {
  const client = await createClient({
    backend: 'redis',
    redisUrl,
    databaseUrl: inject('postgresUrl'),
    environment: {},
    backends: { redis: () => import('@ps/redis'), postgres: () => import('@ps/postgres') },
    log: silentLogger,
  })
  onTestFinished(() => client.close())
  return client
}

it('while redis carries all else, a message of a transaction goes over postgres, once, and no sequence misses it', async (context) => {
  const redisUrl = requireRedis(context)
  const [publisher, listener] = await Promise.all([openClient(redisUrl), openClient(redisUrl)])
  const sql = postgres(inject('postgresUrl'), { max: 1 })
  onTestFinished(() => sql.end())
  const channel = uniqueName('c')
  const heard: unknown[] = []
  const gaps: unknown[] = []
  await listener.listen(channel, (message) => heard.push(message), { onGap: (gap) => gaps.push(gap) })
  const expected: unknown[] = []
  for (let round = 0; round < 20; round += 1) {
    expect(await publisher.publish(channel, { round })).toBe(true)
    await sql.begin(async (tx) => {
      const message = { round, text: 'x'.repeat(round * 1_000) }
      expect(await publisher.publish(channel, message, { sql: tx })).toBe(true)
      expect(await publisher.publish(channel, message, { sql: tx })).toBe(true)
      expected.push({ round }, message, message)
    })
    await sql
      .begin(async (tx) => {
        await publisher.publish(channel, 'rolled back', { sql: tx })
        throw new Error('roll back')
      })
      .catch(() => {})
    // Two brokers have no order between them.
    await waitFor(() => heard.length >= expected.length, { what: 'the messages of a round' })
  }
  expect(heard).toHaveLength(expected.length)
  expect(heard.map((message) => JSON.stringify(message)).toSorted()).toEqual(
    expected.map((message) => JSON.stringify(message)).toSorted(),
  )
  expect(gaps).toEqual([])
  const { backend, recovery, counts } = await publisher.health()
  expect(backend).toBe('redis')
  expect(counts).toMatchObject({ published: 80, failed: 0 })
  // What is kept to be sent again is what has a sequence.
  expect(recovery?.kept.messages).toBe(20)
  expect((await listener.health()).recovery).toMatchObject({ requested: 0, doubles: 0 })
})
