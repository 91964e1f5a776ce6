import { propertyRuns } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type Client,
  type ClientOptions,
  createClient,
  isPubSubError,
  type PubSubError,
  silentLogger,
} from '../src/index.js'
import { type ControlledBackend, createControlledBackend } from './controlled-backend.js'

fc.configureGlobal(propertyRuns)

async function open(backend: ControlledBackend, options: ClientOptions = {}): Promise<Client> {
  const client = await createClient({
    backend: 'redis',
    backends: { redis: () => backend },
    environment: {},
    log: silentLogger,
    packing: true,
    ...options,
  })
  onTestFinished(() => client.close())
  return client
}

/** Lets everything that is due now run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const hear = async (client: Client, channel: string): Promise<unknown[]> => {
  const heard: unknown[] = []
  await client.listen(channel, (message) => void heard.push(message))
  return heard
}

const listenToErrors = (client: Client): PubSubError[] => {
  const errors: PubSubError[] = []
  client.on('error', (error) => errors.push(error))
  return errors
}

const payloads = ({ calls }: ControlledBackend, channel: string): string[] =>
  calls.flatMap((call) => {
    const start = `publish ${channel} `
    return call.startsWith(start) ? [call.slice(start.length)] : []
  })

describe('a client that packs', () => {
  it('sends the first message as it is, and what is published meanwhile as one payload', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend)
    const heard = await hear(client, 'c')
    backend.hold(true)
    const published = [1, { two: 2 }, 'three', [4]].map((message) => client.publish('c', message))
    await turn()
    expect(payloads(backend, 'c')).toEqual(['1'])
    backend.hold(false)
    expect(await Promise.all(published)).toEqual([true, true, true, true])
    await turn()
    expect(payloads(backend, 'c')).toEqual(['1', '{"$ps.pack":[{"two":2},"three",[4]]}'])
    expect(heard).toEqual([1, { two: 2 }, 'three', [4]])
    expect((await client.health()).counts).toMatchObject({ published: 4, delivered: 4 })
  })

  it('sends a message that waited alone as it is', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend)
    await Promise.all([client.publish('c', 1), client.publish('c', 2)])
    await client.publish('c', 3)
    expect(payloads(backend, 'c')).toEqual(['1', '2', '3'])
  })

  it('packs each channel by itself; none waits for another', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend)
    backend.hold(true)
    const published = ['a', 'b', 'a', 'b', 'a'].map((channel, index) => client.publish(channel, index))
    await turn()
    expect([payloads(backend, 'a'), payloads(backend, 'b')]).toEqual([['0'], ['1']])
    backend.hold(false)
    await Promise.all(published)
    expect(payloads(backend, 'a')).toEqual(['0', '{"$ps.pack":[2,4]}'])
    expect(payloads(backend, 'b')).toEqual(['1', '3'])
  })

  it('keeps packs to the length that the backend moves best and to 1,000 messages; a longer message goes alone', async () => {
    const backend = createControlledBackend('redis', { payloadBytes: 40 })
    const client = await open(backend)
    const heard = await hear(client, 'c')
    // 15 bytes of a pack, 12 + 1 + 12 of its messages: 40.
    const messages = [0, 'é'.repeat(5), 'é'.repeat(5), 1, 'x'.repeat(100), 2, 3]
    await Promise.all(messages.map((message) => client.publish('c', message)))
    await turn()
    expect(heard).toEqual(messages)
    expect(payloads(backend, 'c')).toEqual([
      '0',
      '{"$ps.pack":["ééééé","ééééé"]}',
      '1',
      `"${'x'.repeat(100)}"`,
      '{"$ps.pack":[2,3]}',
    ])
    const roomy = createControlledBackend('redis')
    const other = await open(roomy)
    await Promise.all(Array.from({ length: 2_002 }, () => other.publish('c', 1)))
    const sizes = payloads(roomy, 'c').map((payload) => payload.split(',').length)
    expect(sizes).toEqual([1, 1_000, 1_000, 1])
  })

  it('keeps packs to 64 KiB for a backend that says nothing', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend)
    await Promise.all(Array.from({ length: 200 }, () => client.publish('c', 'x'.repeat(998))))
    const lengths = payloads(backend, 'c').map((payload) => payload.length)
    // 65 messages of 1,000 bytes, and what is around them.
    expect(lengths).toEqual([1_000, 65_079, 65_079, 65_079, 15 + 4 * 1_001 - 1])
  })

  it('sends all that waits at once, in several packs where need be, and goes on when all of them are acknowledged', async () => {
    const backend = createControlledBackend('redis', { payloadBytes: 18 })
    const client = await open(backend)
    backend.hold(true)
    const published = [1, 2, 3, 4, 5].map((message) => client.publish('c', message))
    backend.accept(1)
    await turn()
    const round = ['1', '{"$ps.pack":[2,3]}', '{"$ps.pack":[4,5]}']
    expect(payloads(backend, 'c')).toEqual(round)
    published.push(client.publish('c', 6))
    backend.accept(1)
    await turn()
    published.push(client.publish('c', 7))
    expect(payloads(backend, 'c')).toEqual(round)
    backend.accept(1)
    await turn()
    expect(payloads(backend, 'c')).toEqual([...round, '{"$ps.pack":[6,7]}'])
    backend.hold(false)
    expect(await Promise.all(published)).toEqual(published.map(() => true))
  })

  it('resolves a message when its own pack is acknowledged, not sooner', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend)
    const settled: number[] = []
    backend.hold(true)
    const publish = (message: number): void =>
      void client.publish('c', message).then(() => settled.push(message))
    for (const message of [1, 2, 3]) publish(message)
    await turn()
    expect(settled).toEqual([])
    backend.accept(1)
    await turn()
    expect(settled).toEqual([1])
    publish(4)
    backend.accept(1)
    await turn()
    expect(settled).toEqual([1, 2, 3])
    backend.accept(1)
    await turn()
    expect(settled).toEqual([1, 2, 3, 4])
  })

  it('sends a pack that was certainly not sent again, in order and packed anew', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend)
    const heard = await hear(client, 'c')
    backend.hold(true)
    const published = [1, 2, 3].map((message) => client.publish('c', message))
    backend.accept(1)
    await turn()
    published.push(client.publish('c', 4))
    backend.disconnect('connection reset', 'not_sent')
    published.push(client.publish('c', 5))
    backend.hold(false)
    await turn()
    expect(heard).toEqual([1])
    backend.reconnect()
    expect(await Promise.all(published)).toEqual([true, true, true, true, true])
    await turn()
    expect(heard).toEqual([1, 2, 3, 4, 5])
    expect(payloads(backend, 'c')).toEqual(['1', '{"$ps.pack":[2,3]}', '2', '{"$ps.pack":[3,4,5]}'])
  })

  it('takes back a pack that a broker refuses although it is up, and nothing overtakes it', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend)
    const heard = await hear(client, 'c')
    backend.hold(true)
    const published = [1, 2, 3].map((message) => client.publish('c', message))
    backend.accept(1)
    await turn()
    published.push(client.publish('c', 4))
    backend.reject('not_sent', 1)
    published.push(client.publish('c', 5))
    backend.hold(false)
    expect(await Promise.all(published)).toEqual([true, true, true, true, true])
    await turn()
    expect(heard).toEqual([1, 2, 3, 4, 5])
  })

  it('resolves false for each message of a pack whose outcome is unknown, and goes on with the rest', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend)
    const errors = listenToErrors(client)
    const heard = await hear(client, 'c')
    backend.hold(true)
    const published = [1, 2, 3].map((message) => client.publish('c', message))
    backend.accept(1)
    await turn()
    published.push(client.publish('c', 4))
    backend.reject('outcome_unknown', 1)
    backend.hold(false)
    expect(await Promise.all(published)).toEqual([true, false, false, true])
    await turn()
    expect(heard).toEqual([1, 4])
    expect(errors.map(({ code, channel }) => [code, channel])).toEqual([
      ['outcome_unknown', 'c'],
      ['outcome_unknown', 'c'],
    ])
  })

  it('rejects each message of a pack that is not permitted', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend)
    backend.hold(true)
    const published = [1, 2, 3].map((message) => client.publish('c', message))
    backend.accept(1)
    await turn()
    backend.reject('not_permitted', 1)
    const outcomes = await Promise.allSettled(published)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    backend.hold(false)
    expect(await client.publish('c', 4)).toBe(true)
  })

  it('gives up a message that waits too long alone, and does not send it', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend, { publishTimeout: 200 })
    const errors = listenToErrors(client)
    backend.hold(true)
    const first = client.publish('c', 1)
    const second = client.publish('c', 2)
    expect(await Promise.all([first, second])).toEqual([false, false])
    const third = client.publish('c', 3)
    backend.hold(false)
    expect(await third).toBe(true)
    expect(payloads(backend, 'c')).toEqual(['1', '3'])
    expect(errors.map(({ code }) => code)).toEqual(['timeout', 'timeout'])
  })

  it('counts the space in a message that looks like a pack against the length of a pack', async () => {
    // Two such messages of 14 bytes, each sent as 15, a comma and 15 bytes of a pack: 46.
    const messages = [0, ...Array.from({ length: 3 }, () => ({ '$ps.pack': 1 }))]
    for (const [payloadBytes, count] of [
      [45, 4],
      [46, 3],
    ] as const) {
      const backend = createControlledBackend('redis', { payloadBytes })
      const client = await open(backend)
      await Promise.all(messages.map((message) => client.publish('c', message)))
      const sent = payloads(backend, 'c')
      expect(sent).toHaveLength(count)
      for (const payload of sent) expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(payloadBytes)
    }
  })

  it('sends all that was accepted before it closes', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend)
    backend.hold(true)
    const published = [1, 2, 3].map((message) => client.publish('c', message))
    const closed = client.close()
    await turn()
    backend.hold(false)
    await closed
    expect(await Promise.all(published)).toEqual([true, true, true])
    expect(payloads(backend, 'c')).toEqual(['1', '{"$ps.pack":[2,3]}'])
  })

  it('gives up what waits when its time to close is over', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend, { closeTimeout: 50 })
    backend.hold(true)
    const published = [1, 2, 3].map((message) => client.publish('c', message))
    await client.close()
    expect(await Promise.all(published)).toEqual([false, false, false])
    backend.hold(false)
    await turn()
    expect(payloads(backend, 'c')).toEqual(['1'])
  })

  it('counts messages, not packs, against the bounds of what may wait', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend, { maxQueuedMessages: 3 })
    const errors = listenToErrors(client)
    backend.hold(true)
    const published = [1, 2, 3, 4].map((message) => client.publish('c', message))
    expect((await client.health()).queued).toEqual({ messages: 3, bytes: 3 })
    backend.hold(false)
    expect(await Promise.all(published)).toEqual([true, true, true, false])
    expect(errors.map(({ code }) => code)).toEqual(['queue_full'])
  })

  it('carries what waits for a broker that goes down over to the next, in order', async () => {
    const redis = createControlledBackend('redis')
    const postgres = createControlledBackend('postgres')
    const client = await open(redis, {
      fallback: 'postgres',
      recovery: false,
      databaseUrl: 'postgres://db/app',
      backends: { redis: () => redis, postgres: () => postgres },
    })
    const heard = await hear(client, 'c')
    redis.hold(true)
    const published = [1, 2, 3, 4].map((message) => client.publish('c', message))
    redis.accept(1)
    await turn()
    redis.disconnect('connection reset', 'not_sent')
    expect(await Promise.all(published)).toEqual([true, true, true, true])
    await turn()
    expect(heard).toEqual([1, 2, 3, 4])
    expect(payloads(postgres, 'c')).toEqual(['2', '{"$ps.pack":[3,4]}'])
  })
})

it('what waits on the second broker goes over the first once publishing returns there', async () => {
  const redis = createControlledBackend('redis', { startsDown: true })
  const postgres = createControlledBackend('postgres')
  const client = await open(redis, {
    fallback: 'postgres',
    recovery: false,
    databaseUrl: 'postgres://db/app',
    returnAfter: 1,
    backends: { redis: () => redis, postgres: () => postgres },
  })
  const back = new Promise<void>((resolve) => {
    client.on('state', ({ backend }) => backend === 'redis' && resolve())
  })
  postgres.hold(true)
  const published = [1, 2, 3].map((message) => client.publish('c', message))
  redis.reconnect()
  await back
  postgres.accept(1)
  expect(await Promise.all(published)).toEqual([true, true, true])
  expect(payloads(postgres, 'c')).toEqual(['1'])
  expect(payloads(redis, 'c')).toEqual(['2', '3'])
})

describe.each([true, false])('a client with packing: %s', (packing) => {
  it('delivers the messages of a pack one by one, in their place', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend, { packing })
    const heard = await hear(client, 'c')
    backend.foreign('c', '0')
    backend.foreign('c', '{"$ps.pack":[1,{"$ps.pack":[2]},null]} \n')
    backend.foreign('c', '4')
    await turn()
    expect(heard).toEqual([0, 1, { '$ps.pack': [2] }, null, 4])
  })

  it('sends a message that looks like a pack so that it is none, alone and in a pack', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend, { packing })
    const heard = await hear(client, 'c')
    const message = { '$ps.pack': [1, 2] }
    await Promise.all([message, message, 'x'].map((one) => client.publish('c', one)))
    await turn()
    expect(heard).toEqual([message, message, 'x'])
    expect(payloads(backend, 'c')[0]).toBe('{ "$ps.pack":[1,2]}')
  })

  it.each([
    '{"$ps.pack":',
    '{"$ps.pack":[1,2}',
    '{"$ps.pack":[]}',
    '{"$ps.pack":1}',
    '{"$ps.pack":{"0":1}}',
    '{"$ps.pack":[1],"more":2}',
    '{"$ps.pack":[1],"__proto__":2}',
  ])('reports %s once and goes on', async (payload) => {
    const backend = createControlledBackend('redis')
    const client = await open(backend, { packing })
    const errors = listenToErrors(client)
    const heard = await hear(client, 'c')
    await hear(client, 'c')
    backend.foreign('c', payload)
    backend.foreign('c', '"good"')
    await turn()
    expect(heard).toEqual(['good'])
    expect(errors.map(({ code, channel }) => [code, channel])).toEqual([['invalid_payload', 'c']])
    expect((await client.health()).counts.invalid).toBe(1)
  })
})

it.each(['7', '{"$ps.pack":[7,8]}'])('ten listeners of a channel share one parse of %s', async (payload) => {
  const backend = createControlledBackend('redis')
  const client = await open(backend)
  const heard = await Promise.all(Array.from({ length: 10 }, () => hear(client, 'c')))
  const parse = JSON.parse
  let parses = 0
  onTestFinished(() => {
    JSON.parse = parse
  })
  JSON.parse = (...given: Parameters<typeof parse>) => {
    parses += 1
    return parse(...given) as unknown
  }
  backend.foreign('c', payload)
  expect(parses).toBe(1)
  expect(new Set(heard.map(({ length }) => length))).toEqual(new Set([payload === '7' ? 1 : 2]))
})

it.each([
  ['messages', { maxListenerMessages: 2 }],
  // 15 bytes of a pack, 5 of its messages and 4 commas: 5 bytes a message.
  ['bytes', { maxListenerBytes: 10 }],
])('a slow listener counts the %s of a pack one by one against its bounds', async (_, limits) => {
  const backend = createControlledBackend('redis')
  const client = await open(backend, limits)
  const missed: (number | undefined)[] = []
  let finish = (): void => {}
  const heard: unknown[] = []
  await client.listen(
    'c',
    (message) => {
      heard.push(message)
      return message === 1
        ? new Promise<void>((resolve) => {
            finish = resolve
          })
        : undefined
    },
    { onGap: (gap) => missed.push(gap.missed) },
  )
  backend.foreign('c', '{"$ps.pack":[1,2,3,4,5]}')
  finish()
  await turn()
  expect(heard).toEqual([1, 4, 5])
  expect(missed).toEqual([2])
})

it('whatever is published, acknowledged, refused or lost, each message comes once, in order, where its publish said so', async () => {
  const step = fc.oneof(
    {
      arbitrary: fc.record({
        channel: fc.constantFrom('a', 'b', 'c'),
        size: fc.oneof({ arbitrary: fc.nat(30), weight: 8 }, { arbitrary: fc.nat(200), weight: 1 }),
      }),
      weight: 8,
    },
    ...(['accept', 'refuse', 'unknown', 'lose', 'mend', 'turn', 'lose unsent'] as const).map((one) => ({
      arbitrary: fc.constant(one),
      weight: 1,
    })),
  )
  const payloadBytes = fc.constantFrom(1, 64, 120, 8_000)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), payloadBytes, async (steps, longest) => {
      const backend = createControlledBackend('redis', { payloadBytes: longest })
      const client = await open(backend)
      const heard: { channel: string; number: number }[] = []
      for (const channel of ['a', 'b', 'c']) {
        await client.listen(
          channel,
          (message) => void heard.push({ channel, ...(message as { number: number }) }),
        )
      }
      const sent: { channel: string; number: number; outcome: Promise<boolean> }[] = []
      let connected = true
      let refused = false
      backend.hold(true)
      const mend = (): void => {
        if (!connected) backend.reconnect()
        connected = true
      }
      for (const one of steps) {
        if (typeof one === 'object') {
          const { channel, size } = one
          const number = sent.length
          sent.push({
            channel,
            number,
            outcome: client.publish(channel, { number, filler: 'x'.repeat(size) }),
          })
        } else if (one === 'accept') backend.accept(1)
        else if (one === 'unknown') backend.reject('outcome_unknown', 1)
        else if (one === 'refuse') {
          // A pause follows that takes real time, so not often.
          if (!refused) backend.reject('not_sent', Number.POSITIVE_INFINITY)
          refused = true
        } else if (one === 'turn') await turn()
        else if (one === 'mend') mend()
        else if (connected) {
          connected = false
          backend.disconnect('connection reset', one === 'lose' ? 'outcome_unknown' : 'not_sent')
        }
      }
      mend()
      backend.hold(false)
      const accepted = await Promise.all(sent.map(({ outcome }) => outcome))
      await turn()
      for (const channel of ['a', 'b', 'c']) {
        const expected = sent.filter((one, index) => one.channel === channel && accepted[index] === true)
        const came = heard.filter((one) => one.channel === channel)
        expect(came.map(({ number }) => number)).toEqual(expected.map(({ number }) => number))
      }
      for (const payload of ['a', 'b', 'c'].flatMap((channel) => payloads(backend, channel))) {
        if (payload.startsWith('{"$ps.pack":'))
          expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(longest)
      }
      expect((await client.health()).queued).toEqual({ messages: 0, bytes: 0 })
      await client.close()
    }),
    { numRuns: 300 },
  )
})

describe('packing', () => {
  it.each([
    [{}, 'off'],
    [{ PUBSUB_PACKING: '' }, 'off'],
    [{ PUBSUB_PACKING: 'off' }, 'off'],
    [{ PUBSUB_PACKING: 'on' }, 'on'],
  ])('is as the environment %j says: %s', async (environment, expected) => {
    const backend = createControlledBackend('redis')
    const client = await open(backend, { environment, packing: undefined })
    await Promise.all([1, 2, 3].map((message) => client.publish('c', message)))
    expect(payloads(backend, 'c')).toHaveLength(expected === 'on' ? 2 : 3)
  })

  it('is what the option says where both do', async () => {
    const backend = createControlledBackend('redis')
    const client = await open(backend, { environment: { PUBSUB_PACKING: 'on' }, packing: false })
    await Promise.all([1, 2, 3].map((message) => client.publish('c', message)))
    expect(payloads(backend, 'c')).toEqual(['1', '2', '3'])
  })

  it('of any other word is refused', async () => {
    const opened = open(createControlledBackend('redis'), {
      environment: { PUBSUB_PACKING: 'yes' },
      packing: undefined,
    })
    const error: unknown = await opened.catch((reason: unknown) => reason)
    expect(isPubSubError(error, 'configuration') && error.message).toBe(
      'PUBSUB_PACKING is "yes": use on or off',
    )
  })
})
