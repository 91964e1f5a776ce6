import { fileURLToPath } from 'node:url'
import { type Client, type ClientOptions, createClient, type Gap, silentLogger } from '@ps/core'
import {
  type FaultProxy,
  type PostgresServer,
  type RedisServer,
  startFaultProxy,
  startPostgres,
  startRedis,
} from '@ps/services'
import { spawnProgram, uniqueName, waitFor } from '@ps/services/vitest'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

// Recovery over real servers, with a link of its own for each client: this package is the one that has both backends.

const backends = { redis: () => import('@ps/redis'), postgres: () => import('@ps/postgres') }
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

let redis: RedisServer
let postgres: PostgresServer
beforeAll(async () => {
  ;[redis, postgres] = await Promise.all([startRedis(), startPostgres()])
}, 120_000)
afterAll(() => Promise.all([redis.stop(), postgres.stop()]))

interface Linked {
  readonly client: Client
  readonly redisLink: FaultProxy
  readonly postgresLink: FaultProxy
}

async function open(options: ClientOptions = {}): Promise<Linked> {
  const link = async (url: string): Promise<FaultProxy> => {
    const proxy = await startFaultProxy({ port: Number(new URL(url).port) })
    cleanups.push(() => proxy.close())
    return proxy
  }
  const [redisLink, postgresLink] = await Promise.all([link(redis.url), link(postgres.url)])
  const client = await createClient({
    backend: 'redis',
    fallback: 'postgres',
    redisUrl: redisLink.through(redis.url),
    databaseUrl: postgresLink.through(postgres.url),
    returnAfter: 500,
    environment: {},
    backends,
    log: silentLogger,
    ...options,
  })
  cleanups.push(() => client.close())
  return { client, redisLink, postgresLink }
}

interface Heard {
  readonly numbers: number[]
  readonly gaps: Gap[]
}

async function hear(client: Client, channel: string): Promise<Heard> {
  const heard: Heard = { numbers: [], gaps: [] }
  await client.listen(channel, (message) => heard.numbers.push((message as { number: number }).number), {
    onGap: (gap) => heard.gaps.push(gap),
  })
  return heard
}

interface Publishing {
  readonly accepted: number[]
  readonly refused: number[]
  /** Publishes until it is over, a few at a time. */
  until(isOver: () => boolean | Promise<boolean>, what: string): Promise<void>
  settled(): Promise<void>
}

function publishNumbers(client: Client, channel: string, filler = ''): Publishing {
  const accepted: number[] = []
  const refused: number[] = []
  const pending = new Set<Promise<void>>()
  let number = 0
  const publishOne = async (): Promise<void> => {
    number += 1
    const mine = number
    const isAccepted = await client.publish(channel, { number: mine, filler })
    ;(isAccepted ? accepted : refused).push(mine)
  }
  return {
    accepted,
    refused,
    async until(isOver, what) {
      await waitFor(
        async () => {
          for (let count = 0; count < 5; count += 1) {
            const one = publishOne()
            pending.add(one)
            void one.finally(() => pending.delete(one))
          }
          return isOver()
        },
        { timeout: 30_000, what },
      )
    },
    async settled() {
      await Promise.all(pending)
    },
  }
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

async function expectAll({ numbers, gaps }: Heard, { accepted, refused }: Publishing): Promise<void> {
  await waitFor(() => numbers.length >= accepted.length, { timeout: 20_000, what: 'all that was accepted' })
  expect(refused).toEqual([])
  expect(numbers).toEqual(upTo(accepted.length))
  expect(gaps).toEqual([])
}

const isBackOn = (client: Client, backend: string) => async (): Promise<boolean> =>
  (await client.health()).backend === backend

describe('over two brokers', () => {
  it.each(['redis', 'postgres'] as const)(
    'one that stands still for 5 s costs nothing: %s',
    async (first) => {
      const second = first === 'redis' ? 'postgres' : 'redis'
      const publisher = await open({ backend: first, fallback: second })
      const listener = await open({ backend: first, fallback: second })
      const channel = uniqueName('c')
      const heard = await hear(listener.client, channel)
      const publishing = publishNumbers(publisher.client, channel)
      await publishing.until(() => heard.numbers.length > 200, 'the first messages')
      const links = [publisher, listener].map((one) => (first === 'redis' ? one.redisLink : one.postgresLink))
      for (const link of links) link.freeze()
      const before = publishing.accepted.length
      const stoppedAt = Date.now()
      await publishing.until(() => publishing.accepted.length > before + 500, 'publishes over the second')
      await publishing.until(() => Date.now() - stoppedAt > 5_000, 'the end of the fault')
      for (const link of links) link.thaw()
      await publishing.until(isBackOn(publisher.client, first), `publishing over ${first} again`)
      const since = publishing.accepted.length
      await publishing.until(() => publishing.accepted.length > since + 200, 'the last messages')
      await publishing.settled()
      await expectAll(heard, publishing)
    },
    60_000,
  )

  it('a listener that is cut off from redis alone gets everything over postgres, and nobody else a storm', async () => {
    const publisher = await open()
    const cutOff = await open()
    const other = await open()
    const channel = uniqueName('c')
    const [heard, otherHeard] = [await hear(cutOff.client, channel), await hear(other.client, channel)]
    const publishing = publishNumbers(publisher.client, channel)
    await publishing.until(() => heard.numbers.length > 100, 'the first messages')
    cutOff.redisLink.freeze()
    const from = heard.numbers.length
    await publishing.until(() => heard.numbers.length > from + 500, 'messages that were sent again')
    expect((await publisher.client.health()).backend).toBe('redis')
    cutOff.redisLink.thaw()
    await publishing.until(async () => (await cutOff.client.health()).state === 'ready', 'the link')
    await publishing.settled()
    await expectAll(heard, publishing)
    await expectAll(otherHeard, publishing)
    const { recovery } = await publisher.client.health()
    const otherRecovery = (await other.client.health()).recovery
    expect(recovery?.resent).toBeGreaterThan(0)
    expect(recovery?.forgotten).toBe(0)
    // Each message is sent again a few times at most.
    expect(otherRecovery?.doubles).toBeLessThan(3 * publishing.accepted.length)
  }, 60_000)

  it('with both gone publish says false within its timeout, holds a bounded amount, and all goes on when one returns', async () => {
    const { client, redisLink, postgresLink } = await open({ publishTimeout: 1_000 })
    const channel = uniqueName('c')
    const heard = await hear(client, channel)
    await Promise.all([redisLink.refuse(), postgresLink.refuse()])
    redisLink.cut()
    postgresLink.cut()
    await waitFor(async () => (await client.health()).state === 'down', { what: 'both to be down' })
    const began = Date.now()
    const outcomes = await Promise.all(upTo(1_000).map((number) => client.publish(channel, { number })))
    expect(outcomes).toEqual(outcomes.map(() => false))
    expect(Date.now() - began).toBeLessThan(5_000)
    expect((await client.health()).queued).toEqual({ messages: 0, bytes: 0 })
    await postgresLink.accept()
    await waitFor(async () => (await client.health()).state !== 'down', { what: 'postgres' })
    expect(await client.publish(channel, { number: 1_001 })).toBe(true)
    await waitFor(() => heard.numbers.length > 0, { what: 'the first message after it' })
    // What was withdrawn is not missed.
    expect(heard).toEqual({ numbers: [1_001], gaps: [] })
    await redisLink.accept()
  }, 60_000)

  it('what plain programs say is heard, and an interruption of their channel is told', async () => {
    const { client, redisLink } = await open()
    const channel = uniqueName('c')
    const heard = await hear(client, channel)
    const plain = await createClient({
      backend: 'redis',
      fallback: 'none',
      redisUrl: redis.url,
      environment: {},
      backends,
      log: silentLogger,
    })
    cleanups.push(() => plain.close())
    await plain.publish(channel, { number: 1 })
    await waitFor(() => heard.numbers.length === 1, { what: 'the plain message' })
    redisLink.cut()
    await waitFor(() => heard.gaps.length === 1, { what: 'the gap' })
    expect(heard.gaps).toMatchObject([{ channel }])
  })

  it('a listener without recovery hears the messages as they are', async () => {
    const { client } = await open()
    const plain = await createClient({
      backend: 'postgres',
      databaseUrl: postgres.url,
      environment: {},
      backends,
      log: silentLogger,
    })
    cleanups.push(() => plain.close())
    const channel = uniqueName('c')
    const seen: unknown[] = []
    await plain.listen(channel, (message) => seen.push(message))
    const messages = [{ a: 1 }, {}, [1], 'text', null, { $ps: '1;mine;1' }, { '$ps.pack': [1] }]
    const over = await open({ backend: 'postgres', fallback: 'redis' })
    for (const message of messages) expect(await over.client.publish(channel, message)).toBe(true)
    await waitFor(() => seen.length === messages.length, { what: 'all messages' })
    expect(seen).toEqual(messages)
    expect((await client.health()).state).toBe('ready')
  })
})

describe.each(['redis', 'postgres'] as const)('over %s alone', (backend) => {
  const alone = { backend, fallback: 'none', recovery: true }
  const linkOf = ({ redisLink, postgresLink }: Linked): FaultProxy =>
    backend === 'redis' ? redisLink : postgresLink

  it('a listener that was cut off gets what it missed, in order, and is told of no gap', async () => {
    const publisher = await open(alone)
    const listener = await open(alone)
    const channel = uniqueName('c')
    const heard = await hear(listener.client, channel)
    const publishing = publishNumbers(publisher.client, channel)
    await publishing.until(() => heard.numbers.length > 100, 'the first messages')
    await linkOf(listener).refuse()
    linkOf(listener).cut()
    const before = publishing.accepted.length
    await publishing.until(() => publishing.accepted.length > before + 500, 'messages that it misses')
    await publishing.settled()
    await linkOf(listener).accept()
    await expectAll(heard, publishing)
    expect((await publisher.client.health()).recovery?.resent).toBeGreaterThan(0)
  }, 60_000)

  it('what the publisher no longer has is a gap with its id and the count', async () => {
    const publisher = await open({ ...alone, maxKeptBytes: 10_000 })
    const listener = await open(alone)
    const channel = uniqueName('c')
    const heard = await hear(listener.client, channel)
    const publishing = publishNumbers(publisher.client, channel, 'x'.repeat(1_000))
    await publishing.until(() => heard.numbers.length > 10, 'the first messages')
    await linkOf(listener).refuse()
    linkOf(listener).cut()
    const before = publishing.accepted.length
    await publishing.until(() => publishing.accepted.length > before + 100, 'messages that it misses')
    await publishing.settled()
    await linkOf(listener).accept()
    await waitFor(() => heard.numbers.at(-1) === publishing.accepted.length, { what: 'the last message' })
    const missing = publishing.accepted.length - heard.numbers.length
    expect(heard.gaps).toMatchObject([
      { channel, missed: missing, publisher: (await publisher.client.health()).recovery?.publisher },
    ])
    expect(missing).toBeGreaterThan(50)
    expect(heard.numbers).toEqual(heard.numbers.toSorted((a, b) => a - b))
  }, 60_000)

  it('a publisher that closes in order is no gap, also not at a later interruption', async () => {
    const publisher = await open(alone)
    const listener = await open(alone)
    const channel = uniqueName('c')
    const heard = await hear(listener.client, channel)
    const publishing = publishNumbers(publisher.client, channel)
    await publishing.until(() => publishing.accepted.length > 100, 'the messages')
    await publishing.settled()
    await publisher.client.close()
    await waitFor(() => heard.numbers.length === publishing.accepted.length, { what: 'all messages' })
    const { gaps } = heard
    let wasDown = false
    listener.client.on('state', ({ state }) => {
      wasDown ||= state !== 'ready'
    })
    linkOf(listener).cut()
    await waitFor(async () => wasDown && (await listener.client.health()).state === 'ready', {
      what: 'the link',
    })
    const marker = await open(alone)
    await marker.client.publish(channel, { number: -1 })
    await waitFor(() => heard.numbers.at(-1) === -1, { what: 'the marker' })
    // Longer than it takes to hold a publisher for lost.
    const at = Date.now()
    await waitFor(() => Date.now() - at > 5_000, { what: 'the time to pass' })
    expect(gaps).toEqual([])
  }, 60_000)
})

it('a publisher that is killed while it publishes is told as a gap within 5 s', async () => {
  const { client } = await open()
  const channel = uniqueName('c')
  const heard = await hear(client, channel)
  const program = spawnProgram(fileURLToPath(new URL('publish-for-ever.mjs', import.meta.url)), [channel], {
    environment: { PUBSUB_BACKEND: 'redis', REDIS_URL: redis.url, DATABASE_URL: postgres.url },
  })
  cleanups.push(() => program.stop('SIGKILL'))
  await program.waitForOutput(/it publishes/)
  await waitFor(() => heard.numbers.length > 50, { what: 'its messages' })
  expect(heard.gaps).toEqual([])
  await program.stop('SIGKILL')
  await waitFor(() => heard.gaps.length > 0, { timeout: 5_000, what: 'the gap' })
  expect(heard.gaps).toMatchObject([{ channel, publisher: expect.any(String) as string }])
})
