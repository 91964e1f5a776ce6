import * as v from 'valibot'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import * as z from 'zod'
import {
  type Client,
  type ClientOptions,
  createClient,
  getDefaultClient,
  isPubSubError,
  type PubSubError,
  type StandardSchema,
  silentLogger,
} from '../src/index.js'
import { createMemoryBroker } from '../src/memory.js'
import { createControlledBackend } from './controlled-backend.js'

const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((client) => client.close()))
})
function closeAfterwards<Kind extends { close(): Promise<void> }>(client: Kind): Kind {
  closing.push(client)
  return client
}

const inMemory = (broker = createMemoryBroker()) =>
  ({ backend: 'memory', backends: { memory: () => broker }, environment: {}, log: silentLogger }) as const

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function failureOf(work: Promise<unknown>): Promise<PubSubError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!isPubSubError(failure)) throw new Error('no PubSubError was thrown', { cause: failure })
  return failure
}

/** A schema that answers when the test lets it. */
function createSlowSchema() {
  const waiting: { readonly value: unknown; answer(): void; refuse(): void; fail(): void }[] = []
  const schema: StandardSchema<unknown, unknown> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        new Promise((resolve, reject) => {
          waiting.push({
            value,
            answer: () => resolve({ value }),
            refuse: () => resolve({ issues: [{ message: 'no' }] }),
            fail: () => reject(new Error('the database is away')),
          })
        }),
    },
  }
  return { schema, waiting }
}

const libraries = {
  Zod: z.object({ id: z.number(), state: z.enum(['queued', 'done']) }),
  Valibot: v.object({ id: v.number(), state: v.picklist(['queued', 'done']) }),
}

describe.each(Object.entries(libraries))('with a schema of %s', (_, schema) => {
  it('what fits is published and heard', async () => {
    const client = closeAfterwards(await createClient({ ...inMemory(), channels: { jobs: schema } }))
    const heard = client.messages('jobs').next()
    await turn()
    expect(await client.publish('jobs', { id: 7, state: 'done' })).toBe(true)
    expect(await heard).toEqual({ done: false, value: { id: 7, state: 'done' } })
    expect((await client.health()).counts).toMatchObject({ published: 1, delivered: 1, invalid: 0 })
  })

  it('what does not fit rejects with the issues, and nothing of it is sent', async () => {
    const broker = createMemoryBroker()
    const client = closeAfterwards(await createClient({ ...inMemory(broker), channels: { jobs: schema } }))
    const other = closeAfterwards(await createClient(inMemory(broker)))
    const seen: unknown[] = []
    await other.listen('jobs', (message) => seen.push(message))
    // @ts-expect-error A string is no id.
    const failure = await failureOf(client.publish('jobs', { id: 'seven', state: 'done' }))
    expect(failure.code).toBe('invalid_message')
    expect(failure.channel).toBe('jobs')
    expect(failure.message).toMatch(/does not fit the schema of channel "jobs": id: .*number/)
    expect(failure.issues).toHaveLength(1)
    expect(failure.issues?.[0]?.message).toMatch(/number/)
    await turn()
    expect(seen).toEqual([])
  })

  it('what others publish and does not fit is counted, reported and not delivered', async () => {
    const broker = createMemoryBroker()
    const lines: string[] = []
    const log = { ...silentLogger, warn: (line: string) => lines.push(line) }
    const client = closeAfterwards(
      await createClient({ ...inMemory(broker), log, channels: { jobs: schema } }),
    )
    const other = closeAfterwards(await createClient(inMemory(broker)))
    const errors: PubSubError[] = []
    client.on('error', (error) => errors.push(error))
    const seen: unknown[] = []
    await client.listen('jobs', (message) => seen.push(message))
    await client.listen('jobs', (message) => seen.push(message))
    await other.publish('jobs', { id: 7, state: 'my password is hunter2' })
    await other.publish('jobs', { id: 7, state: 'done' })
    await turn()
    expect(seen).toEqual([
      { id: 7, state: 'done' },
      { id: 7, state: 'done' },
    ])
    expect(errors.map(({ code, channel, issues }) => [code, channel, issues?.length])).toEqual([
      ['invalid_payload', 'jobs', 1],
    ])
    expect((await client.health()).counts).toMatchObject({ invalid: 1, delivered: 2 })
    expect(lines).toEqual(['a message on channel "jobs" does not fit its schema at state: it was dropped'])
  })
})

describe('what a schema makes of a message', () => {
  const channels = {
    visits: z.object({ at: z.coerce.date(), path: z.string().trim().default('/') }),
    sizes: v.pipe(v.string(), v.transform(Number)),
  }

  it('is what listeners get; what is sent is what was given', async () => {
    const broker = createMemoryBroker()
    const client = closeAfterwards(await createClient({ ...inMemory(broker), channels }))
    const other = closeAfterwards(await createClient(inMemory(broker)))
    const [seen, sent]: unknown[][] = [[], []]
    await client.listen('visits', (visit) => seen?.push(visit))
    await client.listen('sizes', (size) => seen?.push(size))
    await other.listen('visits', (message) => sent?.push(message))
    await other.listen('sizes', (message) => sent?.push(message))
    const at = new Date('2026-01-02T03:04:05.678Z')
    await client.publish('visits', { at })
    await client.publish('visits', { at: at.toISOString(), path: ' /jobs ' })
    await client.publish('sizes', '42')
    await turn()
    expect(seen).toEqual([{ at, path: '/' }, { at, path: '/jobs' }, 42])
    expect(sent).toEqual([{ at: at.toISOString() }, { at: at.toISOString(), path: ' /jobs ' }, '42'])
  })

  it('has the types that the schemas say, without any annotation', async () => {
    const client = closeAfterwards(await createClient({ ...inMemory(), channels }))
    expectTypeOf(client).toEqualTypeOf<
      Client<
        { visits: { at: Date; path: string }; sizes: number },
        { visits: { at: unknown; path?: string | undefined }; sizes: string }
      >
    >()
    await client.listen('visits', (visit) => expectTypeOf(visit).toEqualTypeOf<{ at: Date; path: string }>())
    expectTypeOf(client.messages('sizes')).toEqualTypeOf<AsyncIterableIterator<number>>()
    // @ts-expect-error What listeners get may not be published where the schema takes something else.
    expect((await failureOf(client.publish('sizes', 42))).code).toBe('invalid_message')
    // @ts-expect-error Another channel is a mistake.
    await client.publish('vists', 1)
    // @ts-expect-error Also to listeners.
    await client.listen('vists', () => {})
    // @ts-expect-error And to loops.
    client.messages('vists')
  })

  it('is checked as the JSON that listeners will get: what only a schema without JSON takes is refused at once', async () => {
    const client = closeAfterwards(await createClient({ ...inMemory(), channels: { at: z.date() } }))
    expect((await failureOf(client.publish('at', new Date()))).code).toBe('invalid_message')
  })
})

describe('types of channels', () => {
  interface Channels {
    jobs: { id: number }
    news: string
  }

  it('may be given without schemas', async () => {
    const client = closeAfterwards(await createClient<Channels>(inMemory()))
    expectTypeOf(client).toEqualTypeOf<Client<Channels>>()
    await client.listen('jobs', (job) => expectTypeOf(job).toEqualTypeOf<{ id: number }>())
    expectTypeOf<ReturnType<typeof createClient<Channels>>>().toEqualTypeOf<Promise<Client<Channels>>>()
    // @ts-expect-error A job has an id.
    expect(await client.publish('jobs', { it: 7 })).toBe(true)
    // @ts-expect-error No such channel. Nothing checks that at run time.
    expect(await client.publish('job', { id: 7 })).toBe(true)
  })

  it('without any, every channel takes every message', async () => {
    const client = closeAfterwards(await createClient(inMemory()))
    expectTypeOf(client).toEqualTypeOf<Client>()
    await client.listen('anything', (message) => expectTypeOf(message).toEqualTypeOf<unknown>())
    expect(await client.publish('anything', [1])).toBe(true)
  })

  it('may be given beside schemas for some of them, which must fit', async () => {
    const client = closeAfterwards(
      await createClient<Channels>({ ...inMemory(), channels: { jobs: z.object({ id: z.number() }) } }),
    )
    expectTypeOf(client).toEqualTypeOf<Client<Channels>>()
    expect(await client.publish('news', 'fresh')).toBe(true)
    // @ts-expect-error A string is no id.
    expect((await failureOf(client.publish('jobs', { id: '7' }))).code).toBe('invalid_message')
    // @ts-expect-error The schema is of something else.
    closeAfterwards(await createClient<Channels>({ ...inMemory(), channels: { jobs: z.string() } }))
    // @ts-expect-error There is no such channel.
    closeAfterwards(await createClient<Channels>({ ...inMemory(), channels: { job: z.object({}) } }))
  })

  it('with an index signature, other channels are none of a mistake', async () => {
    const schemas: Record<string, StandardSchema<number>> = { numbers: z.number() }
    const client = closeAfterwards(await createClient({ ...inMemory(), channels: schemas }))
    expectTypeOf(client.messages('whatever')).toEqualTypeOf<AsyncIterableIterator<number>>()
    expect(await client.publish('whatever', 7)).toBe(true)
    const open = closeAfterwards(
      await createClient<{ jobs: { id: number }; [channel: string]: unknown }>(inMemory()),
    )
    expectTypeOf(open.messages('jobs')).toEqualTypeOf<AsyncIterableIterator<{ id: number }>>()
    expectTypeOf(open.messages('others')).toEqualTypeOf<AsyncIterableIterator<unknown>>()
  })

  it('options that are kept in a variable are as good as those in the call', async () => {
    const options: ClientOptions = inMemory()
    expectTypeOf(closeAfterwards(await createClient(options))).toEqualTypeOf<Client>()
    const typed: ClientOptions<Channels> = { ...inMemory(), channels: { news: z.string() } }
    expectTypeOf(closeAfterwards(await createClient(typed))).toEqualTypeOf<Client<Channels>>()
  })
})

describe('a schema that takes its time', () => {
  it('keeps the order of what is published on its channel, and holds up no other', async () => {
    const broker = createMemoryBroker()
    const { schema, waiting } = createSlowSchema()
    const client = closeAfterwards(
      await createClient({ ...inMemory(broker), channels: { slow: schema, quick: z.number() } }),
    )
    const other = closeAfterwards(await createClient(inMemory(broker)))
    const seen: unknown[] = []
    await other.listen('slow', (message) => seen.push(message))
    await other.listen('quick', (message) => seen.push(message))
    const publishes = [1, 2, 3, 4].map((message) => client.publish('slow', message))
    expect(await client.publish('quick', 9)).toBe(true)
    for (const { answer } of waiting.toReversed().slice(0, 2)) answer()
    await turn()
    expect(seen).toEqual([9])
    waiting[1]?.refuse()
    waiting[0]?.answer()
    expect(await Promise.allSettled(publishes)).toMatchObject([
      { status: 'fulfilled', value: true },
      { status: 'rejected', reason: { code: 'invalid_message' } },
      { status: 'fulfilled', value: true },
      { status: 'fulfilled', value: true },
    ])
    await turn()
    expect(seen).toEqual([9, 1, 3, 4])
  })

  it('may be one of Zod or of Valibot that asks somebody else', async () => {
    const isKnown = async (id: number): Promise<boolean> => {
      await turn()
      return id < 10
    }
    const channels = {
      zod: z.number().refine(isKnown),
      valibot: v.pipeAsync(v.number(), v.checkAsync(isKnown)),
    }
    const broker = createMemoryBroker()
    const client = closeAfterwards(await createClient({ ...inMemory(broker), channels }))
    const other = closeAfterwards(await createClient(inMemory(broker)))
    for (const channel of ['zod', 'valibot'] as const) {
      const seen: number[] = []
      await client.listen(channel, (id) => seen.push(id))
      expect(await client.publish(channel, 7)).toBe(true)
      expect((await failureOf(client.publish(channel, 70))).code).toBe('invalid_message')
      await other.publish(channel, 71)
      expect(await client.publish(channel, 8)).toBe(true)
      await expect.poll(() => seen).toEqual([7, 8])
    }
    expect((await client.health()).counts).toMatchObject({ published: 4, delivered: 4, invalid: 2 })
  })

  it('is asked for the message as it was in the call, whatever the caller does with it afterwards', async () => {
    const broker = createMemoryBroker()
    const { schema, waiting } = createSlowSchema()
    const client = closeAfterwards(await createClient({ ...inMemory(broker), channels: { slow: schema } }))
    const other = closeAfterwards(await createClient(inMemory(broker)))
    const heard = other.messages('slow').next()
    await turn()
    const message = { n: 1 }
    const published = client.publish('slow', message)
    message.n = 2
    waiting[0]?.answer()
    expect(await published).toBe(true)
    expect((await heard).value).toEqual({ n: 1 })
  })

  it('keeps the order of each listener, gaps among its messages', async () => {
    const backend = createControlledBackend('redis')
    const { schema, waiting } = createSlowSchema()
    const client = closeAfterwards(
      await createClient({
        ...inMemory(),
        backend: 'redis',
        backends: { redis: () => backend },
        channels: { slow: schema },
      }),
    )
    const errors: PubSubError[] = []
    client.on('error', (error) => errors.push(error))
    const seen: unknown[] = []
    await client.listen('slow', (message) => seen.push(message), { onGap: () => seen.push('gap') })
    for (const message of [1, 2, 3]) backend.foreign('slow', String(message))
    backend.gap('something was lost')
    backend.foreign('slow', '{"$ps.pack":[4,5]}')
    for (const { answer, value, refuse } of waiting.toReversed())
      if (value === 2) refuse()
      else answer()
    await turn()
    expect(seen).toEqual([1, 3, 'gap', 4, 5])
    expect(errors.map(({ code }) => code)).toEqual(['invalid_payload'])
    expect((await client.health()).counts).toMatchObject({ delivered: 4, invalid: 1, gaps: 1 })
  })

  it('delivers nothing after unsubscribe, also what it answers for afterwards', async () => {
    const backend = createControlledBackend('redis')
    const { schema, waiting } = createSlowSchema()
    const client = closeAfterwards(
      await createClient({
        ...inMemory(),
        backend: 'redis',
        backends: { redis: () => backend },
        channels: { slow: schema },
      }),
    )
    const errors: PubSubError[] = []
    client.on('error', (error) => errors.push(error))
    const seen: unknown[] = []
    const subscription = await client.listen('slow', (message) => seen.push(message))
    backend.foreign('slow', '1')
    backend.foreign('slow', '2')
    await subscription.unsubscribe()
    waiting[0]?.answer()
    waiting[1]?.refuse()
    await turn()
    expect(seen).toEqual([])
    expect(errors).toEqual([])
  })

  it('may fail, which refuses the message and says why', async () => {
    const backend = createControlledBackend('redis')
    const { schema, waiting } = createSlowSchema()
    const broken: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate() {
          throw new Error('the schema has a fault')
        },
      },
    }
    const client = closeAfterwards(
      await createClient({
        ...inMemory(),
        backend: 'redis',
        backends: { redis: () => backend },
        channels: { slow: schema, broken },
      }),
    )
    const errors: string[] = []
    client.on('error', ({ code, channel, cause }) => errors.push(`${code} on ${channel}: ${String(cause)}`))
    await client.listen('slow', () => {})
    await client.listen('broken', () => {})
    const published = failureOf(client.publish('slow', 1))
    backend.foreign('slow', '1')
    for (const { fail } of waiting) fail()
    backend.foreign('broken', '1')
    expect(await published).toMatchObject({
      code: 'invalid_message',
      cause: { message: 'the database is away' },
    })
    expect(await failureOf(client.publish('broken', 1))).toMatchObject({
      code: 'invalid_message',
      cause: { message: 'the schema has a fault' },
    })
    await turn()
    expect(new Set(errors)).toEqual(
      new Set([
        'invalid_payload on slow: Error: the database is away',
        'invalid_payload on broken: Error: the schema has a fault',
      ]),
    )
  })

  it.each([
    ['nothing', undefined],
    ['nothing, later', Promise.resolve()],
    ['issues that are none', { issues: 'many' }],
    ['issues that are none, later', Promise.resolve({ issues: 'many' })],
  ])('or gives %s: that refuses the message, and harms nobody else', async (_, result) => {
    const backend = createControlledBackend('redis')
    const channels = {
      odd: {
        '~standard': { version: 1, vendor: 'test', validate: () => result },
      } as unknown as StandardSchema,
    }
    const client = closeAfterwards(
      await createClient({ ...inMemory(), backend: 'redis', backends: { redis: () => backend }, channels }),
    )
    const codes: string[] = []
    client.on('error', ({ code }) => codes.push(code))
    await client.listen('odd', () => {})
    expect((await failureOf(client.publish('odd', 1))).code).toBe('invalid_message')
    backend.foreign('odd', '1')
    await turn()
    expect(codes).toEqual(['invalid_payload'])
  })

  it('and never answers, lets a publish resolve false within its timeout, and those behind it go on', async () => {
    const { schema, waiting } = createSlowSchema()
    const client = closeAfterwards(
      await createClient({ ...inMemory(), publishTimeout: 50, channels: { slow: schema } }),
    )
    const errors: PubSubError[] = []
    client.on('error', (error) => errors.push(error))
    const first = client.publish('slow', 1)
    await first
    const second = client.publish('slow', 2)
    waiting[1]?.answer()
    expect(await Promise.all([first, second])).toEqual([false, true])
    expect(errors.map(({ code, channel }) => [code, channel])).toEqual([['timeout', 'slow']])
    expect((await client.health()).counts).toMatchObject({ failed: 1, published: 1 })
  })

  it('holds no more messages than may wait to be sent', async () => {
    const { schema, waiting } = createSlowSchema()
    const client = closeAfterwards(
      await createClient({ ...inMemory(), maxQueuedMessages: 2, channels: { slow: schema } }),
    )
    const errors: PubSubError[] = []
    client.on('error', (error) => errors.push(error))
    const publishes = [1, 2, 3].map((message) => client.publish('slow', message))
    expect(await publishes[2]).toBe(false)
    for (const { answer } of waiting) answer()
    expect(await Promise.all(publishes)).toEqual([true, true, false])
    expect(errors.map(({ code }) => code)).toEqual(['queue_full'])
  })

  it('is waited for by close, which then sends what fits', async () => {
    const broker = createMemoryBroker()
    const { schema, waiting } = createSlowSchema()
    const client = await createClient({ ...inMemory(broker), channels: { slow: schema } })
    const other = closeAfterwards(await createClient(inMemory(broker)))
    const heard = other.messages('slow').next()
    await turn()
    const published = client.publish('slow', 1)
    const closed = client.close()
    waiting[0]?.answer()
    expect(await published).toBe(true)
    await closed
    expect((await heard).value).toBe(1)
  })

  it('and never answers, holds up close for no longer than closeTimeout', async () => {
    const { schema } = createSlowSchema()
    const client = await createClient({
      ...inMemory(),
      closeTimeout: 50,
      publishTimeout: 600_000,
      channels: { slow: schema },
    })
    const published = client.publish('slow', 1)
    await client.close()
    expect(await published).toBe(false)
  })
})

it('what is no schema is refused when the client is created', async () => {
  const channels = { jobs: { parse: () => {} } } as unknown as Record<string, StandardSchema>
  const failure = await failureOf(createClient({ ...inMemory(), channels }))
  expect(failure).toMatchObject({ code: 'configuration', channel: 'jobs' })
})

it('the default client takes schemas at its first call, and refuses others later', async () => {
  const memory = { environment: { PUBSUB_BACKEND: 'memory' }, log: silentLogger }
  const channels = { jobs: z.object({ id: z.number() }) }
  const client = closeAfterwards(await getDefaultClient({ ...memory, channels }))
  expectTypeOf(client).toEqualTypeOf<Client<{ jobs: { id: number } }>>()
  expect(await getDefaultClient({ channels })).toBe(client)
  expect(await getDefaultClient<{ jobs: { id: number } }>()).toBe(client)
  expect((await failureOf(getDefaultClient({ channels: { jobs: z.string() } }))).code).toBe('configuration')
})
