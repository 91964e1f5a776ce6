import { type Client, createClient, silentLogger } from '@ps/core'
import { requireRedis, uniqueName, waitFor } from '@ps/services/vitest'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'

describe('a client that does not read', () => {
  let api: ApiProcess
  let client: Client
  beforeAll(async () => {
    api = await startApiProcess(ownWorld(inject('postgresUrl')))
    client = await createClient({
      environment: api.environment,
      backends: { postgres: () => import('@ps/postgres') },
      log: silentLogger,
    })
  })
  afterAll(async () => {
    await client.close()
    await api.stop()
  })

  const metric = async (name: string): Promise<number> =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec((await api.ask('/metrics')).text)?.[1])
  const text = 'x'.repeat(4_000)
  const numbered = (from: number, count: number): { number: number; text: string }[] =>
    Array.from({ length: count }, (_, index) => ({ number: from + index, text }))
  const numbers = (messages: readonly unknown[]): number[] =>
    messages.map((message) => (message as { number: number }).number)
  const publish = async (channel: string, from: number, count: number): Promise<void> => {
    const accepted = await Promise.all(
      numbered(from, count).map((message) => client.publish(channel, message)),
    )
    expect(accepted).not.toContain(false)
  }

  it('is cut, and has missed nothing when it has come back', async () => {
    const channel = uniqueName('cut')
    const [slow, quick] = [await api.stream(channel), await api.stream(channel)]
    await Promise.all([slow.untilEvent('ps.hello'), quick.untilEvent('ps.hello')])
    slow.pause()
    let sent = 0
    await waitFor(
      async () => {
        await publish(channel, sent, 100)
        sent += 100
        return (await metric('api_slow_streams_total')) === 1
      },
      { timeout: 25_000, what: 'the slow stream to be cut' },
    )
    slow.resume()
    await slow.ended
    await quick.until(({ data }) => (data.message as { number?: number } | undefined)?.number === sent - 1)
    expect(numbers(quick.messages(channel))).toEqual(numbers(numbered(0, sent)))
    const seen = numbers(slow.messages(channel))
    expect(seen.length).toBeLessThan(sent)
    const again = await api.resume(slow.lastId(), channel)
    await waitFor(() => seen.length + again.messages(channel).length >= sent)
    expect(again.events[0]?.data).toMatchObject({ resumed: 'full' })
    expect([...seen, ...numbers(again.messages(channel))]).toEqual(numbers(numbered(0, sent)))
    quick.close()
    again.close()
  })

  it('costs no more than 1.1 MiB though it comes back for much, and reads all of it when it reads', async () => {
    const channel = uniqueName('backlog')
    const count = 3_500
    const first = await api.stream(channel)
    await first.untilEvent('ps.hello')
    // Twice as much, so that the process has grown as far as it does by that alone.
    for (let from = -count; from < count; from += 250) {
      await publish(channel, from, 250)
      // It is the same process that publishes and reads: without a pause it would be a slow client itself.
      await waitFor(() => first.messages(channel).length === count + from + 250)
    }
    const lastId = first.events.find(({ data }) => (data.message as { number?: number })?.number === -1)?.id
    const before = await metric('process_resident_memory_bytes')
    const slow = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const stream = await api.resume(lastId ?? '', channel)
        stream.pause()
        return stream
      }),
    )
    await waitFor(async () => (await metric('api_streams')) === 101)
    await publish(channel, count, 10)
    await first.until(({ data }) => (data.message as { number?: number } | undefined)?.number === count + 9)
    // All of it would be 1.4 GiB.
    const grown = (await metric('process_resident_memory_bytes')) - before
    expect(grown).toBeLessThan(100 * 1.1 * 1024 ** 2)
    expect(await metric('api_streams')).toBe(101)
    for (const stream of slow.slice(1)) stream.close()
    slow[0]?.resume()
    await waitFor(() => slow[0]?.messages(channel).length === count + 10, { what: 'all of the backlog' })
    expect(numbers(slow[0]?.messages(channel) ?? [])).toEqual(numbers(numbered(0, count + 10)))
    slow[0]?.close()
    first.close()
  })
})

// Who was given a piece was once held for slow before the system had said whether it took it. Over Redis, thousands of
// messages arrive in one turn.
it('does not cut a client that reads, however much comes at once', async (context) => {
  const environment = {
    REDIS_URL: requireRedis(context),
    PUBSUB_BACKEND: 'redis',
    PUBSUB_PREFIX: `${uniqueName('burst')}:`,
  }
  const api = await startApiProcess(environment)
  const client = await createClient({
    environment,
    backends: { redis: () => import('@ps/redis') },
    log: silentLogger,
  })
  try {
    const stream = await api.stream('burst')
    await stream.untilEvent('ps.hello')
    for (const round of [0, 1, 2]) {
      await Promise.all(Array.from({ length: 4_000 }, (_, number) => client.publish('burst', number)))
      await waitFor(() => stream.messages('burst').length === (round + 1) * 4_000)
    }
    expect(stream.events.map(({ event }) => event)).not.toContain('ps.bye')
    stream.close()
  } finally {
    await client.close()
    await api.stop()
  }
})
