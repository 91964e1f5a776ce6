import { createClient, type Client, silentLogger } from '@ps/core'
import { uniqueName, waitFor } from '@ps/services/vitest'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { openStream, type TestStream } from './test-stream.js'

const openClient = (api: ApiProcess): Promise<Client> =>
  createClient({
    environment: api.environment,
    backends: { postgres: () => import('@ps/postgres') },
    log: silentLogger,
  })

const gaps = (stream: TestStream): Record<string, unknown>[] =>
  stream.events.filter(({ event }) => event === 'ps.gap').map(({ data }) => data)
const sequence = (id: string | undefined): number => Number(id?.split('.')[1])

describe('a client that comes back', () => {
  let api: ApiProcess
  let client: Client
  beforeAll(async () => {
    api = await startApiProcess(ownWorld(inject('postgresUrl')))
    client = await openClient(api)
  })
  afterAll(async () => {
    await client.close()
    await api.stop()
  })

  it('has missed nothing and hears nothing twice, on several channels under load', async () => {
    const channels = ['a', 'b', 'c'].map(uniqueName)
    // Somebody who stays, so that it is seen that there was something to miss.
    const witness = await api.stream(...channels)
    let stream = await api.stream(...channels)
    await Promise.all([witness.untilEvent('ps.hello'), stream.untilEvent('ps.hello')])
    const seen: [string, unknown][] = []
    const enough = new AbortController()
    let published = 0
    const publishing = (async () => {
      while (!enough.signal.aborted) {
        await Promise.all(channels.map((channel) => client.publish(channel, published)))
        published += 1
      }
    })()
    const take = (): void => {
      const known = seen.length
      for (const { event, data } of stream.events)
        if (event === 'message') seen.push([String(data.channel), data.message])
      expect(seen.length).toBeGreaterThan(known)
    }
    for (let round = 0; round < 10; round += 1) {
      const least = stream.events.length + 50
      await waitFor(() => stream.events.length > least)
      const lastId = stream.lastId()
      stream.close()
      take()
      const missed = published + 20
      await waitFor(() => published > missed)
      stream = await api.resume(lastId, ...channels)
      const hello = await stream.untilEvent('ps.hello')
      expect(hello.data).toMatchObject({ channels, live: true, resumed: 'full' })
    }
    enough.abort()
    await publishing
    await Promise.all(channels.map((channel) => client.publish(channel, 'end')))
    for (const each of [stream, witness])
      await waitFor(() => channels.every((channel) => each.messages(channel).includes('end')))
    take()
    for (const channel of channels) {
      const expected = [...Array.from({ length: published }, (_, number) => number), 'end']
      expect(witness.messages(channel)).toEqual(expected)
      expect(seen.filter(([on]) => on === channel).map(([, message]) => message)).toEqual(expected)
    }
    // One order over all channels, for all.
    expect(seen).toEqual(
      witness.events
        .filter(({ event }) => event === 'message')
        .map(({ data }) => [data.channel, data.message]),
    )
    const sequences = witness.events.map(({ id }) => sequence(id))
    expect(sequences).toEqual(sequences.toSorted((one, other) => one - other))
    expect([...gaps(stream), ...gaps(witness)]).toEqual([])
    stream.close()
    witness.close()
    expect((await api.ask('/metrics')).text).toMatch(/^api_resumed_streams_total\{resumed="full"\} 10$/m)
  })

  it('may name the last id in the address; what the header says is newer', async () => {
    const channel = uniqueName('either')
    const first = await api.stream(channel)
    await first.untilEvent('ps.hello')
    await client.publish(channel, 1)
    await client.publish(channel, 2)
    await first.until(({ data }) => data.message === 2)
    first.close()
    const ids = first.events.map(({ id }) => id ?? '')
    const url = `${api.url}/v1/events?channel=${channel}&last_event_id=${ids[0]}`
    for (const [headers, expected] of [
      [{}, [1, 2]],
      [{ 'last-event-id': ids[1] ?? '' }, [2]],
    ] as const) {
      const stream = await openStream(url, headers)
      await stream.until(({ data }) => data.message === 2)
      expect(stream.messages(channel)).toEqual(expected)
      expect(stream.events[0]?.data).toMatchObject({ resumed: 'full' })
      expect(stream.events[0]?.id).toBeUndefined()
      stream.close()
    }
  })

  it.each([
    ['another epoch', () => 'AAAAAAAA.1'],
    ['a place that does not exist yet', (known: string) => known.replace(/\d+$/, '999999999')],
    ['garbage', () => '%00 "nonsense'],
  ])('is told a gap on every channel where its id is of %s', async (_what, idFrom) => {
    const channels = [uniqueName('one'), uniqueName('two')]
    const before = await api.stream(...channels)
    await before.untilEvent('ps.hello')
    await client.publish(channels[0] ?? '', 'old')
    await before.until(({ data }) => data.message === 'old')
    before.close()
    const stream = await api.resume(idFrom(before.lastId()), ...channels)
    await stream.until(({ event, data }) => event === 'ps.gap' && data.channel === channels[1])
    expect(stream.events[0]?.data).toMatchObject({ resumed: 'none', live: true })
    expect(gaps(stream).map(({ channel }) => channel)).toEqual(channels)
    // Only who has heard of every gap has the new id.
    expect(stream.events.map(({ id }) => id)).toEqual([undefined, undefined, stream.events[0]?.data.head])
    await client.publish(channels[0] ?? '', 'new')
    await stream.until(({ data }) => data.message === 'new')
    expect(stream.messages(channels[0] ?? '')).toEqual(['new'])
    stream.close()
    const again = await api.resume(stream.lastId(), ...channels)
    expect((await again.untilEvent('ps.hello')).data).toMatchObject({ resumed: 'full' })
    again.close()
  })

  it('is told a gap by a restarted server', async () => {
    const world = ownWorld(inject('postgresUrl'))
    let other = await startApiProcess(world)
    try {
      const channel = uniqueName('restarted')
      const before = await other.stream(channel)
      await before.untilEvent('ps.hello')
      other = await other.restart()
      const after = await other.resume(before.lastId(), channel)
      await after.untilEvent('ps.gap')
      expect(gaps(after)).toEqual([{ channel, reason: expect.stringContaining('started again') }])
      after.close()
    } finally {
      await other.stop()
    }
  })

  it('is told a gap on a channel that was not listened to, and no other', async () => {
    const [known, unknown] = [uniqueName('known'), uniqueName('unknown')]
    const before = await api.stream(known)
    await before.untilEvent('ps.hello')
    before.close()
    await client.publish(known, 'while away')
    const after = await api.resume(before.lastId(), known, unknown)
    await after.untilEvent('ps.gap')
    await client.publish(unknown, 'end')
    await after.until(({ data }) => data.message === 'end')
    expect(after.events[0]?.data).toMatchObject({ resumed: 'partial' })
    expect(gaps(after)).toEqual([{ channel: unknown, reason: expect.stringContaining('not listened') }])
    expect(after.messages(known)).toEqual(['while away'])
    // The gap has a place: who has heard of it is not told again.
    const gapId = after.events.find(({ event }) => event === 'ps.gap')?.id ?? ''
    const again = await api.resume(gapId, known, unknown)
    await again.until(({ data }) => data.message === 'end')
    expect(again.events[0]?.data).toMatchObject({ resumed: 'full' })
    expect(gaps(again)).toEqual([])
    after.close()
    again.close()
  })

  it('is told a gap where more came than is kept, and then all that is', async () => {
    const channel = uniqueName('evicted')
    const before = await api.stream(channel)
    await before.untilEvent('ps.hello')
    before.close()
    const count = 10_500
    // What is published is heard by the api a moment later.
    const watching = await api.stream(channel)
    await watching.untilEvent('ps.hello')
    await Promise.all(Array.from({ length: count }, (_, number) => client.publish(channel, number)))
    await watching.until(({ data }) => data.message === count - 1)
    watching.close()
    const after = await api.resume(before.lastId(), channel)
    await after.until(({ data }) => data.message === count - 1)
    expect(after.events.map(({ event }) => event).slice(0, 2)).toEqual(['ps.hello', 'ps.gap'])
    expect(after.events[0]?.data).toMatchObject({ resumed: 'none' })
    expect(gaps(after)).toEqual([{ channel, reason: expect.stringContaining('no longer kept') }])
    expect(after.messages(channel)).toEqual(Array.from({ length: 10_000 }, (_, number) => 500 + number))
    after.close()
  })
})

it('tells a gap to a client that comes back when its channel is no longer listened to', async () => {
  const api = await startApiProcess({ ...ownWorld(inject('postgresUrl')), API_STREAM_LINGER: '0' })
  try {
    const channel = uniqueName('left')
    const before = await api.stream(channel)
    await before.untilEvent('ps.hello')
    before.close()
    await waitFor(async () => /^api_channels 0$/m.test((await api.ask('/metrics')).text))
    const after = await api.resume(before.lastId(), channel)
    await after.untilEvent('ps.gap')
    expect(after.events[0]?.data).toMatchObject({ resumed: 'none' })
    after.close()
  } finally {
    await api.stop()
  }
})
