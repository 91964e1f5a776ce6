import { createClient, silentLogger } from '@ps/core'
import { createBackend } from '@ps/postgres'
import { startFaultProxy } from '@ps/services'
import { uniqueName, waitFor } from '@ps/services/vitest'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { asJson } from './ask.js'
import { openStream, type TestStream } from './test-stream.js'

const gaps = (stream: TestStream): unknown[] =>
  stream.events.filter(({ event }) => event === 'ps.gap').map(({ data }) => data.channel)

describe('a stream of events', () => {
  let api: ApiProcess
  beforeAll(async () => {
    api = await startApiProcess(ownWorld(inject('postgresUrl')))
  })
  afterAll(async () => {
    await api.stop()
  })

  const publish = async (channel: string, message: unknown): Promise<void> => {
    const { status } = await api.ask(`/v1/channels/${encodeURIComponent(channel)}/messages`, asJson(message))
    expect(status).toBe(202)
  }
  const streams = async (): Promise<number> =>
    Number(/^api_streams (\d+)$/m.exec((await api.ask('/metrics')).text)?.[1])

  it('begins with ps.hello and brings what is published from then on, in order', async () => {
    const [first, second] = [uniqueName('first'), uniqueName('second')]
    const stream = await api.stream(first, second)
    expect(stream.status).toBe(200)
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
      'cache-control': expect.stringContaining('no-transform'),
    })
    await stream.untilEvent('ps.hello')
    for (const number of [1, 2, 3]) await publish(first, { number })
    await publish(second, 'line\nbreak')
    await stream.until(({ data }) => data.channel === second)
    expect(stream.events[0]).toEqual({
      event: 'ps.hello',
      id: expect.stringMatching(/^[\w-]+\.\d+$/),
      data: {
        stream: expect.any(String),
        channels: [first, second],
        live: true,
        resumed: 'none',
        head: stream.events[0]?.id,
      },
    })
    expect(stream.messages(first)).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }])
    expect(stream.messages(second)).toEqual(['line\nbreak'])
    expect(stream.beginning()).toMatch(/^retry: [1-5]\d{3}\n/)
    stream.close()
  })

  it('gives every message to every stream of its channel, once', async () => {
    const channel = uniqueName('many')
    const readers = await Promise.all(Array.from({ length: 20 }, () => api.stream(channel, channel)))
    await Promise.all(readers.map((reader) => reader.untilEvent('ps.hello')))
    await publish(channel, 1)
    await publish(channel, 'end')
    for (const reader of readers) {
      await reader.until(({ data }) => data.message === 'end')
      expect(reader.messages(channel)).toEqual([1, 'end'])
      reader.close()
    }
    await waitFor(async () => (await streams()) === 0, { what: 'closed streams to be forgotten' })
  })

  it('ends after a while, for its client to go on with another one', async () => {
    const renewing = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      API_STREAM_MAX_AGE: '1000',
    })
    try {
      const channel = uniqueName('renewed')
      const stream = await renewing.stream(channel)
      await stream.ended
      expect(stream.events.at(-1)).toMatchObject({ event: 'ps.bye', data: { reason: 'renew' } })
      const { status } = await renewing.ask(`/v1/channels/${channel}/messages`, asJson('in between'))
      expect(status).toBe(202)
      const next = await renewing.resume(stream.lastId(), channel)
      await next.until(({ data }) => data.message === 'in between')
      expect(next.events[0]?.data).toMatchObject({ resumed: 'full' })
    } finally {
      await renewing.stop()
    }
  })

  it('counts what it does', async () => {
    const channel = uniqueName('counted')
    const stream = await api.stream(channel)
    await stream.untilEvent('ps.hello')
    await Promise.all([1, 2, 3].map((number) => publish(channel, number)))
    await waitFor(() => stream.messages(channel).length === 3)
    const { text } = await api.ask('/metrics')
    for (const line of [
      /^api_streams 1$/m,
      /^api_channels [1-9]\d*$/m,
      /^api_delivered_frames_total [1-9]\d*$/m,
      /^api_coalesced_frames_total \d+$/m,
      /^api_history_frames [1-9]\d*$/m,
      /^api_history_bytes [1-9]\d*$/m,
      /^api_flush_seconds_count [1-9]\d*$/m,
      /^api_broker_up\{broker="postgres"\} 1$/m,
      /^api_event_loop_delay_seconds_count \d+$/m,
    ])
      expect(text).toMatch(line)
    stream.close()
  })

  it('listens again to a channel whose last stream was closed', async () => {
    const channel = uniqueName('again')
    for (const round of [1, 2, 3]) {
      const stream = await api.stream(channel)
      await stream.untilEvent('ps.hello')
      await publish(channel, round)
      await stream.until(({ data }) => data.message === round)
      stream.close()
      await waitFor(async () => (await streams()) === 0)
    }
  })

  // JSON of any depth can be read, and is written only to some thousand levels.
  it('tells a gap in place of a message that is nested too deeply to be sent on', async () => {
    const channel = uniqueName('deep')
    const stream = await api.stream(channel)
    await stream.untilEvent('ps.hello')
    const foreign = createBackend({ url: inject('postgresUrl') })
    try {
      await foreign.start({ message() {}, invalid() {}, gap() {}, state() {} })
      const depth = 100_000
      await foreign.publish(
        `${api.environment.PUBSUB_PREFIX}${channel}`,
        '['.repeat(depth) + ']'.repeat(depth),
      )
      await foreign.publish(`${api.environment.PUBSUB_PREFIX}${channel}`, '"after"')
    } finally {
      await foreign.close()
    }
    await stream.until(({ data }) => data.message === 'after')
    expect(stream.events.slice(1)).toMatchObject([
      { event: 'ps.gap', id: expect.any(String), data: { channel, missed: 1 } },
      { event: 'message' },
    ])
    stream.close()
  })

  it('sends a ping every 15 s', async () => {
    const stream = await api.stream('quiet')
    const { data } = await stream.untilEvent('ps.ping', 20_000)
    expect(Date.parse(String(data.time))).not.toBeNaN()
    stream.close()
  })

  it.each([
    ['', 400],
    ['?channel=', 400],
    ['?channel=%00', 400],
    [`?channel=${'x'.repeat(256)}`, 400],
    [`?${Array.from({ length: 65 }, (_, index) => `channel=${index}`).join('&')}`, 400],
    ['?channel=jobs&channel=control:engine:1', 403],
    ['?channel=$ps', 403],
  ])('refuses %j with %i', async (query, status) => {
    const answer = await api.ask(`/v1/events${query}`)
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/problem+json'])
  })

  it('carries 64 channels', async () => {
    const channels = Array.from({ length: 64 }, () => uniqueName('of-64'))
    const stream = await api.stream(...channels)
    await stream.untilEvent('ps.hello')
    await publish(channels.at(-1) ?? '', 'last')
    await stream.until(({ data }) => data.message === 'last')
    stream.close()
  })

  it('cuts a client that does not read, and no other', async () => {
    const channel = uniqueName('flood')
    const [slow, quick] = [await api.stream(channel), await api.stream(channel)]
    await Promise.all([slow.untilEvent('ps.hello'), quick.untilEvent('ps.hello')])
    slow.pause()
    const text = 'x'.repeat(500_000)
    let sent = 0
    await waitFor(
      async () => {
        await publish(channel, text)
        sent += 1
        return (await streams()) === 1
      },
      { timeout: 25_000, what: 'the slow stream to be cut' },
    )
    await publish(channel, 'end')
    await quick.until(({ data }) => data.message === 'end')
    expect(quick.messages(channel)).toHaveLength(sent + 1)
    expect((await api.ask('/metrics')).text).toMatch(/^api_slow_streams_total 1$/m)
    slow.resume()
    await slow.ended
    expect(slow.messages(channel).length).toBeLessThan(sent)
    quick.close()
  })
})

describe('a stream of events, when the broker goes away', () => {
  it('tells a gap when it is back, and brings what comes then', async () => {
    const database = new URL(inject('postgresUrl'))
    const proxy = await startFaultProxy({ port: Number(database.port) })
    const api = await startApiProcess(ownWorld(proxy.through(database.href)))
    try {
      const channel = uniqueName('cut')
      const stream = await api.stream(channel)
      const absent = await api.stream(channel)
      await Promise.all([stream.untilEvent('ps.hello'), absent.untilEvent('ps.hello')])
      absent.close()
      proxy.cut()
      const gap = await stream.untilEvent('ps.gap')
      expect(gap.data).toEqual({ channel, reason: expect.any(String) })
      await waitFor(async () => {
        const { status } = await api.ask(`/v1/channels/${channel}/messages`, asJson('after'))
        return status === 202
      })
      await stream.until(({ data }) => data.message === 'after')
      // Whoever was away then is told, too.
      const back = await api.resume(absent.lastId(), channel)
      await back.until(({ data }) => data.message === 'after')
      expect(back.events.slice(1)).toEqual(stream.events.slice(1))
      stream.close()
      back.close()
    } finally {
      await api.stop()
      await proxy.close()
    }
  })

  // Where everything can be sent again, no gap would ever say that the broker is back.
  it('says in ps.hello which channels are not heard yet, and not of one that was confirmed before', async () => {
    const database = new URL(inject('postgresUrl'))
    const proxy = await startFaultProxy({ port: Number(database.port) })
    const world = { ...ownWorld(database.href), PUBSUB_RECOVERY: 'on' }
    const api = await startApiProcess({ ...world, DATABASE_URL: proxy.through(database.href) })
    try {
      await using client = await createClient({
        environment: world,
        backends: { postgres: () => import('@ps/postgres') },
        log: silentLogger,
      })
      const channel = uniqueName('numbered')
      const before = await api.stream(channel)
      await before.untilEvent('ps.hello')
      expect(await client.publish(channel, 'before')).toBe(true)
      await before.until(({ data }) => data.message === 'before')
      await proxy.refuse()
      proxy.cut()
      await waitFor(async () => (await api.ask('/readyz')).status === 503)
      const fresh = uniqueName('fresh')
      const [one, both] = [await api.stream(channel), await api.stream(channel, fresh)]
      expect((await one.untilEvent('ps.hello')).data).toMatchObject({ live: true })
      expect((await both.untilEvent('ps.hello')).data).toMatchObject({ live: false, unconfirmed: [fresh] })
      expect(await client.publish(channel, 'meanwhile')).toBe(true)
      await proxy.accept()
      await waitFor(async () => (await api.ask('/readyz')).status === 200)
      expect(await client.publish(channel, 'after')).toBe(true)
      for (const stream of [one, both]) {
        await stream.until(({ data }) => data.message === 'after')
        expect(stream.messages(channel)).toEqual(['meanwhile', 'after'])
      }
      await both.untilEvent('ps.gap')
      expect([gaps(one), gaps(both)]).toEqual([[], [fresh]])
      for (const stream of [before, one, both]) stream.close()
    } finally {
      await api.stop()
      await proxy.close()
    }
  })

  it('says in ps.hello that nothing is heard yet, and tells a gap when it is', async () => {
    const database = new URL(inject('postgresUrl'))
    const proxy = await startFaultProxy({ port: Number(database.port) })
    await proxy.refuse()
    const api = await startApiProcess(ownWorld(proxy.through(database.href)))
    try {
      expect((await api.ask('/readyz')).status).toBe(503)
      const channel = uniqueName('early')
      const stream = await openStream(`${api.url}/v1/events?channel=${channel}`)
      const hello = await stream.untilEvent('ps.hello')
      expect(hello.data).toMatchObject({ channels: [channel], live: false, unconfirmed: [channel] })
      const back = [await api.resume('AAAAAAAA.1', channel), await api.resume(hello.id ?? '', channel)]
      for (const each of back)
        expect((await each.untilEvent('ps.hello')).data).toMatchObject({ live: false, resumed: 'none' })
      expect((await api.ask('/v1/events?channel=%00')).status).toBe(400)
      await proxy.accept()
      const gap = await stream.untilEvent('ps.gap')
      expect(gap.data).toMatchObject({ channel })
      await waitFor(async () => (await api.ask('/readyz')).status === 200)
      expect((await api.ask(`/v1/channels/${channel}/messages`, asJson('now'))).status).toBe(202)
      // One gap each, when it is heard: before, there was nothing to be sure of.
      for (const each of [stream, ...back]) {
        await each.until(({ data }) => data.message === 'now')
        expect(gaps(each)).toEqual([channel])
        each.close()
      }
    } finally {
      await api.stop()
      await proxy.close()
    }
  })
})
