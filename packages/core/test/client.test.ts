import { afterEach, describe, expect, it } from 'vitest'
import {
  type Client,
  type ClientOptions,
  createClient,
  type Gap,
  isPubSubError,
  type PubSubError,
  silentLogger,
} from '../src/index.js'
import { createMemoryBroker } from '../src/memory.js'
import { createControlledBackend } from './controlled-backend.js'

const clients: Client[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
})

async function open(options: ClientOptions = {}): Promise<Client> {
  const broker = createMemoryBroker()
  const client = await createClient({
    backend: 'memory',
    backends: { memory: () => broker },
    environment: {},
    log: silentLogger,
    ...options,
  })
  clients.push(client)
  return client
}

function collect<T>(count: number): { take: (message: unknown) => void; messages: T[]; done: Promise<T[]> } {
  const messages: T[] = []
  let finish: (messages: T[]) => void = () => {}
  const done = new Promise<T[]>((resolve) => {
    finish = resolve
  })
  return {
    messages,
    done,
    take(message) {
      messages.push(message as T)
      if (messages.length === count) finish(messages)
    },
  }
}

/** Lets everything that is due now run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    if (isPubSubError(error)) return error.code
    throw error
  }
  return 'nothing was thrown'
}

describe('publish and listen', () => {
  it('brings every message to every listener of the channel, in order, and to no other channel', async () => {
    const client = await open()
    const first = collect<number>(100)
    const second = collect<number>(100)
    const other = collect<number>(1)
    await client.listen('numbers', first.take)
    await client.listen('numbers', second.take)
    await client.listen('others', other.take)
    const sent = Array.from({ length: 100 }, (_, index) => index)
    const results = await Promise.all(sent.map((number) => client.publish('numbers', number)))
    expect(results.every(Boolean)).toBe(true)
    expect(await first.done).toEqual(sent)
    expect(await second.done).toEqual(sent)
    expect(other.messages).toEqual([])
  })

  it.each([
    ['undefined', undefined, 'invalid_message'],
    ['a function', () => {}, 'invalid_message'],
    ['a symbol', Symbol('s'), 'invalid_message'],
    ['a BigInt', 1n, 'invalid_message'],
    [
      'a cycle',
      ((cycle: { self?: unknown }) => Object.assign(cycle, { self: cycle }))({}),
      'invalid_message',
    ],
    ['1 MiB and 1 byte', 'x'.repeat(1024 * 1024 - 1), 'message_too_large'],
  ])('rejects %s and sends nothing', async (_, message, code) => {
    const client = await open()
    const seen = collect(1)
    await client.listen('c', seen.take)
    expect(await codeOf(client.publish('c', message))).toBe(code)
    await turn()
    expect(seen.messages).toEqual([])
  })

  it('takes a message of exactly 1 MiB', async () => {
    const client = await open()
    const seen = collect<string>(1)
    await client.listen('c', seen.take)
    expect(await client.publish('c', 'x'.repeat(1024 * 1024 - 2))).toBe(true)
    expect((await seen.done)[0]).toHaveLength(1024 * 1024 - 2)
  })

  it.each([
    ['empty', ''],
    ['with a NUL', 'a\0b'],
    ['reserved', '$ps.x'],
    ['of 256 bytes', 'é'.repeat(128)],
    ['with half a surrogate pair', '\ud800'],
    ['that is no string', 7 as unknown as string],
  ])('refuses a channel name %s on publish, listen and messages', async (_, channel) => {
    const client = await open()
    expect(await codeOf(client.publish(channel, 1))).toBe('invalid_channel')
    expect(await codeOf(client.listen(channel, () => {}))).toBe('invalid_channel')
    expect(() => client.messages(channel)).toThrow(/invalid channel/)
  })

  it('puts the prefix on the wire only', async () => {
    const broker = createMemoryBroker()
    const backends = { memory: () => broker }
    const inside = await open({ backends, prefix: 'team:' })
    const outside = await open({ backends })
    const seenInside = collect(1)
    const seenOutside = collect(1)
    await inside.listen('c', seenInside.take)
    await outside.listen('team:c', seenOutside.take)
    await inside.publish('c', 1)
    expect(await seenInside.done).toEqual([1])
    expect(await seenOutside.done).toEqual([1])
  })

  it('reports a payload that is not JSON, counts it, and goes on', async () => {
    const backend = createControlledBackend('redis')
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const errors: PubSubError[] = []
    client.on('error', (error) => errors.push(error))
    const seen = collect(1)
    await client.listen('c', seen.take)
    backend.foreign('c', 'not json')
    backend.foreign('c', '{"a":1}')
    expect(await seen.done).toEqual([{ a: 1 }])
    expect(errors.map(({ code, channel }) => [code, channel])).toEqual([['invalid_payload', 'c']])
    expect((await client.health()).counts.invalid).toBe(1)
  })
})

describe('a listener', () => {
  it('runs its callbacks one at a time, awaiting each', async () => {
    const client = await open()
    const order: string[] = []
    const done = collect(2)
    await client.listen('c', async (message) => {
      order.push(`start ${String(message)}`)
      await turn()
      order.push(`end ${String(message)}`)
      done.take(message)
    })
    await Promise.all([client.publish('c', 1), client.publish('c', 2)])
    await done.done
    expect(order).toEqual(['start 1', 'end 1', 'start 2', 'end 2'])
  })

  it('that throws or rejects is reported and hurts neither itself nor its siblings', async () => {
    const client = await open()
    const errors: PubSubError[] = []
    client.on('error', (error) => errors.push(error))
    const thrower = collect(2)
    const rejecter = collect(2)
    const sibling = collect(2)
    await client.listen('c', (message) => {
      thrower.take(message)
      throw new Error('thrown')
    })
    await client.listen('c', async (message) => {
      rejecter.take(message)
      throw new Error('rejected')
    })
    await client.listen('c', sibling.take)
    await client.publish('c', 1)
    await client.publish('c', 2)
    for (const { done } of [thrower, rejecter, sibling]) expect(await done).toEqual([1, 2])
    await turn()
    expect(errors.map(({ code }) => code)).toEqual(Array(4).fill('listener_failed'))
  })

  it('that is too slow loses the oldest messages, is told how many, and keeps the newest', async () => {
    const client = await open({ maxListenerMessages: 10 })
    const events: unknown[] = []
    let release: () => void = () => {}
    const last = collect(1)
    await client.listen(
      'c',
      (message) => {
        events.push(message)
        if (message === 99) last.take(message)
        if (message === 0) return new Promise<void>((resolve) => (release = resolve))
        return undefined
      },
      { onGap: (gap) => events.push(gap) },
    )
    for (let number = 0; number < 100; number += 1) await client.publish('c', number)
    await turn()
    release()
    await last.done
    const gap = { channel: 'c', missed: 89, reason: expect.any(String) as string }
    expect(events).toEqual([0, gap, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99])
    expect((await client.health()).counts).toMatchObject({ dropped: 89, gaps: 1 })
  })

  it('with drop-newest keeps the oldest and is told of the hole in its place', async () => {
    const client = await open({ maxListenerMessages: 2 })
    const events: unknown[] = []
    let release: () => void = () => {}
    const last = collect(1)
    await client.listen(
      'c',
      (message) => {
        events.push(message)
        if (message === 'last') last.take(message)
        if (message === 0) return new Promise<void>((resolve) => (release = resolve))
        return undefined
      },
      { overflow: 'drop-newest', onGap: ({ missed }) => events.push({ missed }) },
    )
    for (let number = 0; number < 6; number += 1) await client.publish('c', number)
    await turn()
    release()
    await turn()
    await client.publish('c', 'last')
    await last.done
    expect(events).toEqual([0, 1, 2, { missed: 3 }, 'last'])
  })

  it('with close is told and closed', async () => {
    const client = await open({ maxListenerMessages: 2 })
    const gaps: Gap[] = []
    let release: () => void = () => {}
    const subscription = await client.listen('c', () => new Promise<void>((resolve) => (release = resolve)), {
      overflow: 'close',
      onGap: (gap) => gaps.push(gap),
    })
    for (let number = 0; number < 5; number += 1) await client.publish('c', number)
    await turn()
    expect(gaps.map(({ missed }) => missed)).toEqual([3])
    expect(subscription.closed).toBe(true)
    release()
  })

  it('is bounded in bytes as well', async () => {
    const client = await open({ maxListenerBytes: 1_000 })
    const gaps: Gap[] = []
    const seen: number[] = []
    let release: () => void = () => {}
    const last = collect(1)
    await client.listen(
      'c',
      (message) => {
        const [number] = message as [number]
        seen.push(number)
        if (number === 4) last.take(number)
        return number === 0 ? new Promise<void>((resolve) => (release = resolve)) : undefined
      },
      { onGap: (gap) => gaps.push(gap) },
    )
    for (let number = 0; number < 5; number += 1) await client.publish('c', [number, 'x'.repeat(400)])
    await turn()
    release()
    await last.done
    expect(seen).toEqual([0, 3, 4])
    expect(gaps.map(({ missed }) => missed)).toEqual([2])
  })
})

describe('a subscription', () => {
  it('calls the backend on the first listener and the last only', async () => {
    const backend = createControlledBackend('redis')
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const [one, two] = await Promise.all([client.listen('c', () => {}), client.listen('c', () => {})])
    expect(backend.calls).toEqual(['subscribe c'])
    await one.unsubscribe()
    expect(backend.calls).toEqual(['subscribe c'])
    await two.unsubscribe()
    await two.unsubscribe()
    expect(backend.calls).toEqual(['subscribe c', 'unsubscribe c'])
    expect(two.closed).toBe(true)
  })

  it('brings the channel to what is wanted last, whatever came while the broker was busy', async () => {
    const backend = createControlledBackend('redis')
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const seen = collect(1)
    for (let round = 0; round < 5; round += 1) {
      const stop = new AbortController()
      const pending = client.listen('c', () => {}, { signal: stop.signal })
      stop.abort()
      await expect(pending).rejects.toThrow(/abort/i)
    }
    const kept = await client.listen('c', seen.take)
    await client.publish('c', 1)
    expect(await seen.done).toEqual([1])
    await kept.unsubscribe()
    const edges = backend.calls.filter((call) => !call.startsWith('publish'))
    expect(edges.at(-1)).toBe('unsubscribe c')
    expect(edges.filter((call) => call.startsWith('subscribe')).length).toBe(
      edges.filter((call) => call.startsWith('unsubscribe')).length,
    )
  })

  it('stops at once when its signal aborts, also inside the callback', async () => {
    const client = await open()
    const stop = new AbortController()
    const seen: unknown[] = []
    const witness = collect(3)
    await client.listen(
      'c',
      (message) => {
        seen.push(message)
        if (message === 2) stop.abort()
      },
      { signal: stop.signal },
    )
    await client.listen('c', witness.take)
    for (const number of [1, 2, 3]) await client.publish('c', number)
    await witness.done
    expect(seen).toEqual([1, 2])
  })

  it('rejects with the reason when the signal was aborted before, and subscribes to nothing', async () => {
    const backend = createControlledBackend('redis')
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const reason = new Error('not needed any more')
    await expect(client.listen('c', () => {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(backend.calls).toEqual([])
  })

  it('that the broker refuses rejects, is rolled back, and can be tried again', async () => {
    const backend = createControlledBackend('redis')
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    backend.refuse('not_permitted')
    expect(await codeOf(client.listen('c', () => {}))).toBe('not_permitted')
    backend.refuse(undefined)
    const seen = collect(1)
    await client.listen('c', seen.take)
    await client.publish('c', 1)
    expect(await seen.done).toEqual([1])
  })

  it('waits while the broker is down, and can be aborted then', async () => {
    const backend = createControlledBackend('redis', { startsDown: true })
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const stop = new AbortController()
    const aborted = client.listen('a', () => {}, { signal: stop.signal })
    let live = false
    const waiting = client.listen('b', () => {}).then(() => (live = true))
    await turn()
    expect(live).toBe(false)
    stop.abort()
    await expect(aborted).rejects.toThrow(/abort/i)
    backend.reconnect()
    await waiting
    expect(live).toBe(true)
  })

  it('is told of one gap after a reconnect if it was live before, and not otherwise', async () => {
    const backend = createControlledBackend('redis')
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const gaps: string[] = []
    await client.listen('before', () => {}, { onGap: ({ channel }) => gaps.push(channel) })
    backend.disconnect()
    const late = client.listen('after', () => {}, { onGap: ({ channel }) => gaps.push(channel) })
    backend.reconnect()
    await late
    expect(gaps).toEqual(['before'])
  })
})

describe('messages', () => {
  it('pulls the messages in order and unsubscribes when the loop is left', async () => {
    const backend = createControlledBackend('redis')
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const iterator = client.messages('c')
    expect(backend.calls).toEqual([])
    const first = iterator.next()
    await turn()
    for (const number of [1, 2, 3]) await client.publish('c', number)
    expect(await first).toEqual({ done: false, value: 1 })
    const seen: unknown[] = []
    for await (const message of iterator) {
      seen.push(message)
      if (message === 3) break
    }
    expect(seen).toEqual([2, 3])
    expect(backend.calls.at(-1)).toBe('unsubscribe c')
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it('ends when the signal aborts and when the client closes', async () => {
    const client = await open()
    const stop = new AbortController()
    const aborted = client.messages('c', { signal: stop.signal }).next()
    const closed = client.messages('c').next()
    await turn()
    stop.abort()
    expect((await aborted).done).toBe(true)
    await client.close()
    expect((await closed).done).toBe(true)
  })

  it('throws on a gap where asked to', async () => {
    const backend = createControlledBackend('redis')
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const next = client.messages('c', { throwOnGap: true }).next()
    await turn()
    backend.disconnect()
    backend.reconnect()
    expect(await codeOf(next)).toBe('gap')
  })
})

describe.each([
  { sends: true, kind: 'that sends' },
  { sends: false, kind: 'that only publishes' },
])('publishing under faults, over a backend $kind', ({ sends }) => {
  it('waits for the broker to come back and keeps the order', async () => {
    const backend = createControlledBackend('redis', { sends })
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const seen = collect<number>(20)
    await client.listen('c', seen.take)
    backend.hold(true)
    const early = Array.from({ length: 10 }, (_, number) => client.publish('c', number))
    await turn()
    backend.disconnect('connection reset', 'not_sent')
    const late = Array.from({ length: 10 }, (_, number) => client.publish('c', number + 10))
    backend.hold(false)
    backend.reconnect()
    expect(await Promise.all([...early, ...late])).toEqual(Array(20).fill(true))
    expect(await seen.done).toEqual(Array.from({ length: 20 }, (_, number) => number))
  })

  it('resolves false where the outcome is unknown, says why, and does not send again', async () => {
    const backend = createControlledBackend('redis', { sends })
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const errors: PubSubError[] = []
    client.on('error', (error) => errors.push(error))
    backend.hold(true)
    const published = client.publish('c', 1)
    await turn()
    backend.disconnect()
    expect(await published).toBe(false)
    backend.hold(false)
    backend.reconnect()
    await turn()
    expect(backend.calls.filter((call) => call.startsWith('publish'))).toHaveLength(1)
    expect(errors.map(({ code }) => code)).toContain('outcome_unknown')
  })

  it('resolves false after the timeout while no broker is up, and sends it no more', async () => {
    const backend = createControlledBackend('redis', { startsDown: true, sends })
    const client = await open({ backend: 'redis', backends: { redis: () => backend }, publishTimeout: 50 })
    expect(await Promise.all([client.publish('c', 1), client.publish('c', 2)])).toEqual([false, false])
    backend.reconnect()
    await turn()
    expect(backend.calls.filter((call) => call.startsWith('publish'))).toEqual([])
    expect((await client.health()).queued).toEqual({ messages: 0, bytes: 0 })
  })

  it('resolves false at once when too much waits, in messages or in bytes', async () => {
    const backend = createControlledBackend('redis', { startsDown: true, sends })
    const client = await open({
      backend: 'redis',
      backends: { redis: () => backend },
      maxQueuedMessages: 2,
      maxQueuedBytes: 100,
    })
    const errors: PubSubError[] = []
    client.on('error', (error) => errors.push(error))
    const waiting = [client.publish('c', 1)]
    expect(await client.publish('c', 'x'.repeat(100))).toBe(false)
    waiting.push(client.publish('c', 2))
    expect(await client.publish('c', 3)).toBe(false)
    expect(errors.filter(({ code }) => code === 'queue_full')).toHaveLength(2)
    backend.reconnect()
    expect(await Promise.all(waiting)).toEqual([true, true])
  })

  it('rejects what the broker does not permit', async () => {
    const backend = createControlledBackend('redis', { sends })
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    backend.refuse('not_permitted')
    expect(await codeOf(client.publish('c', 1))).toBe('not_permitted')
  })
})

describe('a fallback', () => {
  const openPair = async (redisStart: { startsDown?: boolean; startsLate?: boolean } = {}) => {
    const redis = createControlledBackend('redis', redisStart)
    const postgres = createControlledBackend('postgres')
    const client = await open({
      backend: 'redis',
      fallback: 'postgres',
      databaseUrl: 'postgres://localhost/x',
      returnAfter: 100,
      backends: { redis: () => redis, postgres: () => postgres },
    })
    return { redis, postgres, client }
  }
  const publishes = ({ calls }: { calls: string[] }): number =>
    calls.filter((call) => call.startsWith('publish c ')).length

  it('listens on both brokers and publishes on the first', async () => {
    const { redis, postgres, client } = await openPair()
    const seen = collect(1)
    await client.listen('c', seen.take)
    expect([redis.calls, postgres.calls].map((calls) => calls.includes('subscribe c'))).toEqual([true, true])
    await client.publish('c', 1)
    expect(await seen.done).toEqual([1])
    expect([publishes(redis), publishes(postgres)]).toEqual([1, 0])
    postgres.foreign('c', '2')
    expect(seen.messages).toEqual([1, 2])
  })

  it('carries on over the second while the first is down, says so, and goes back when it has been up for a while', async () => {
    const { redis, postgres, client } = await openPair()
    const states: string[] = []
    const back = new Promise<void>((resolve) => {
      client.on('state', ({ state, backend }) => {
        states.push(`${state} ${backend}`)
        if (states.length > 1 && backend === 'redis') resolve()
      })
    })
    const seen = collect(2)
    await client.listen('c', seen.take)
    redis.disconnect('connect ECONNREFUSED')
    expect(await client.publish('c', 1)).toBe(true)
    expect(publishes(postgres)).toBe(1)
    const health = await client.health()
    expect(health).toMatchObject({ backend: 'postgres', state: 'degraded' })
    expect(health.reason).toContain('redis is unreachable: connect ECONNREFUSED')
    redis.reconnect()
    await back
    expect(await client.publish('c', 2)).toBe(true)
    expect(publishes(redis)).toBe(1)
    expect(await seen.done).toEqual([1, 2])
    expect(states).toEqual(['degraded postgres', 'ready postgres', 'ready redis'])
  })

  it('starts on the first although the second was quicker to connect', async () => {
    const { redis, client } = await openPair({ startsLate: true })
    expect(await client.publish('c', 1)).toBe(true)
    expect(publishes(redis)).toBe(1)
  })

  it('starts on the second when the first is down at start, and listens without waiting for it', async () => {
    const { redis, client } = await openPair({ startsDown: true })
    const seen = collect(1)
    await client.listen('c', seen.take)
    expect(await client.publish('c', 1)).toBe(true)
    expect(await seen.done).toEqual([1])
    expect((await client.health()).backend).toBe('postgres')
    expect(redis.calls).toEqual([])
  })
})

describe('close', () => {
  it('sends what was accepted, is idempotent, and refuses everything afterwards', async () => {
    const backend = createControlledBackend('redis')
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    backend.hold(true)
    const accepted = client.publish('c', 1)
    await turn()
    const closing = Promise.all([client.close(), client.close()])
    backend.hold(false)
    await closing
    expect(await accepted).toBe(true)
    expect(backend.calls.filter((call) => call === 'close')).toHaveLength(1)
    expect(await codeOf(client.publish('c', 1))).toBe('closed')
    expect(await codeOf(client.listen('c', () => {}))).toBe('closed')
    expect((await client.health()).state).toBe('down')
  })

  it('lets a running callback finish, but no longer than the deadline', async () => {
    const client = await open({ closeTimeout: 50 })
    let finished = false
    let release: () => void = () => {}
    const running = collect(2)
    await client.listen('c', async (message) => {
      running.take(message)
      await new Promise<void>((resolve) => (release = resolve))
      finished = true
    })
    await client.listen('c', (message) => {
      running.take(message)
      return new Promise(() => {})
    })
    await client.publish('c', 1)
    await running.done
    const closing = client.close()
    release()
    await closing
    expect(finished).toBe(true)
  })

  it('rejects a listen that is still waiting', async () => {
    const backend = createControlledBackend('redis', { startsDown: true })
    const client = await open({ backend: 'redis', backends: { redis: () => backend } })
    const pending = codeOf(client.listen('c', () => {}))
    await turn()
    await client.close()
    expect(await pending).toBe('closed')
  })
})
