import { uniqueName, waitFor } from '@ps/services/vitest'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { ListedStream, StreamOverview } from '../src/stream-overview.js'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { asJson, type AskOptions } from './ask.js'
import { openRawConnection } from './raw-connection.js'
import { bearer, jwtEnvironment, signToken } from './sign-token.js'
import { openStream, type TestStream } from './test-stream.js'

const overview = async (api: ApiProcess, options?: AskOptions): Promise<StreamOverview> =>
  JSON.parse((await api.ask('/v1/streams', options)).text) as StreamOverview
const idOf = async (stream: TestStream): Promise<string> =>
  String((await stream.untilEvent('ps.hello')).data.stream)

describe('the list of open streams', () => {
  let api: ApiProcess
  beforeAll(async () => {
    api = await startApiProcess(ownWorld(inject('postgresUrl')))
  })
  afterAll(async () => {
    await api.stop()
  })

  const publish = async (channel: string, message: unknown): Promise<void> => {
    const { status } = await api.ask(`/v1/channels/${channel}/messages`, asJson(message))
    expect(status).toBe(202)
  }
  const listed = async (id: string): Promise<ListedStream | undefined> =>
    (await overview(api)).streams.find((stream) => stream.id === id)

  it('has each under the id of its ps.hello, with its channels and what it was given, until it is closed', async () => {
    const channels = Array.from({ length: 7 }, () => uniqueName('listed'))
    const before = (await overview(api)).totals.delivered
    const startedAt = Date.now()
    const stream = await api.stream(...channels)
    const id = await idOf(stream)
    for (const number of [1, 2, 3]) await publish(channels[0] ?? '', number)
    await stream.until(({ data }) => data.message === 3)
    const entry = await waitFor(async () => {
      const found = await listed(id)
      return found?.waitingBytes === 0 ? found : undefined
    })
    expect(entry).toEqual({
      id,
      since: expect.any(String),
      channels: channels.slice(0, 5),
      channelCount: 7,
      delivered: 3,
      waitingFrames: 0,
      waitingBytes: 0,
      lagMs: 0,
    })
    expect(Date.parse(entry.since)).toBeGreaterThanOrEqual(startedAt)
    expect((await overview(api)).totals).toMatchObject({ streams: 1, behind: 0, delivered: before + 3 })
    stream.close()
    await waitFor(async () => (await overview(api)).totals.streams === 0)
    expect(await listed(id)).toBeUndefined()
  })

  it('names who is behind first, with how much waits for them and for how long', async () => {
    const channel = uniqueName('behind')
    const [quick, slow] = [await api.stream(channel), await api.stream(channel)]
    const [quickId, slowId] = [await idOf(quick), await idOf(slow)]
    slow.pause()
    const text = 'x'.repeat(100_000)
    let sent = 0
    await waitFor(
      async () => {
        await publish(channel, text)
        sent += 1
        return ((await listed(slowId))?.waitingFrames ?? 0) >= 3
      },
      { timeout: 25_000, what: 'frames that wait' },
    )
    await quick.until(() => quick.messages(channel).length === sent)
    await waitFor(async () => ((await listed(slowId))?.lagMs ?? 0) >= 1_000)
    const { streams, totals } = await overview(api)
    const [first] = streams
    expect(first?.id).toBe(slowId)
    expect(first?.waitingFrames).toBeLessThan(sent)
    expect(first?.waitingBytes).toBeGreaterThan(2 * text.length)
    expect(streams.find(({ id }) => id === quickId)).toMatchObject({ waitingBytes: 0, lagMs: 0 })
    expect(totals).toMatchObject({
      streams: 2,
      behind: 1,
      waitingFrames: first?.waitingFrames,
      waitingBytes: first?.waitingBytes,
    })
    slow.resume()
    await slow.until(() => slow.messages(channel).length === sent)
    await waitFor(async () => (await overview(api)).totals.waitingBytes === 0)
    slow.close()
    quick.close()
  })

  it('counts what somebody who comes back has not read yet', async () => {
    const channel = uniqueName('backlog')
    const watching = await api.stream(channel)
    await watching.untilEvent('ps.hello')
    await publish(channel, 'before')
    await watching.until(({ data }) => data.message === 'before')
    const lastId = watching.lastId()
    const text = 'x'.repeat(500_000)
    const count = 25
    for (let number = 0; number < count; number += 1) await publish(channel, text)
    await watching.until(() => watching.messages(channel).length === count + 1)
    const slow = await openStream(`${api.url}/v1/events?channel=${channel}`, { 'last-event-id': lastId })
    slow.pause()
    const behind = async (): Promise<ListedStream | undefined> =>
      (await overview(api)).streams.find(({ waitingBytes }) => waitingBytes > 0)
    const entry = await waitFor(behind)
    expect(entry.waitingFrames).toBeGreaterThan(0)
    expect(entry.waitingFrames + entry.delivered).toBeGreaterThanOrEqual(count)
    expect(entry.waitingBytes).toBeGreaterThan((count - entry.delivered) * text.length)
    slow.close()
    watching.close()
  })

  it('lists 100 of more, and counts all', async () => {
    await waitFor(async () => (await overview(api)).totals.streams === 0)
    const streams = await Promise.all(Array.from({ length: 120 }, () => api.stream('many')))
    await Promise.all(streams.map((stream) => stream.untilEvent('ps.hello')))
    const { streams: entries, totals } = await overview(api)
    expect([entries.length, totals.streams]).toEqual([100, 120])
    for (const stream of streams) stream.close()
  })

  it('forgets a stream that waits behind another one on its connection when that is closed', async () => {
    await waitFor(async () => (await overview(api)).totals.streams === 0)
    const connection = await openRawConnection(api.port)
    connection.write('GET /v1/events?channel=any HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(3))
    await waitFor(async () => (await overview(api)).totals.streams === 3)
    connection.socket.destroy()
    await waitFor(async () => (await overview(api)).totals.streams === 0)
  })
})

it('names whose a stream is where a token says so, and shows no token', async () => {
  const api = await startApiProcess({
    ...ownWorld(inject('postgresUrl')),
    ...jwtEnvironment,
    API_TOKEN: 'the-token-of-this-test',
  })
  try {
    const token = await signToken({ sub: 'user-7', subscribe: ['mine'], scope: 'metrics' })
    const session = await api.ask('/v1/session', { method: 'POST', headers: bearer(token) })
    const [cookie = ''] = session.headers['set-cookie']?.[0]?.split(';') ?? []
    const address = `${api.url}/v1/events?channel=mine`
    const streams = [
      await openStream(address, bearer(token)),
      await openStream(address, { cookie }),
      await openStream(address, bearer('the-token-of-this-test')),
    ]
    const ids = await Promise.all(streams.map(idOf))
    const { text } = await api.ask('/v1/streams', { headers: bearer(token) })
    const entries = (JSON.parse(text) as StreamOverview).streams
    const subjects = ids.map((id) => entries.find((entry) => entry.id === id)?.subject)
    expect(subjects).toEqual(['user-7', 'user-7', undefined])
    for (const secret of [token, cookie.split('=')[1] ?? '', 'the-token-of-this-test'])
      expect(text).not.toContain(secret)
    for (const stream of streams) stream.close()
  } finally {
    await api.stop()
  }
})
