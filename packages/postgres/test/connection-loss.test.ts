import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { isPubSubError } from '@ps/core'
import { startFaultProxy, startPostgres } from '@ps/services'
import { uniqueName, waitFor, withDeadline } from '@ps/services/vitest'
import { expect, inject, onTestFinished, test } from 'vitest'
import { killSessions, makeBackend, openBackend, openPeer, withParameter } from './opened-backend.js'

test('killed again and again while it publishes, it loses nothing in secret, doubles and reorders nothing', async () => {
  const peer = openPeer()
  const { backend, messages, gaps, events, ready, application } = await openBackend()
  const channel = uniqueName('kills')
  await backend.subscribe(channel)
  const accepted = new Set<number>()
  const rejected: string[] = []
  const running = new Set([1])
  let next = 0
  const publishing = Array.from({ length: 20 }, async () => {
    while (running.size > 0) {
      const index = next
      next += 1
      try {
        await backend.publish(channel, String(index))
        accepted.add(index)
      } catch (error) {
        rejected.push(isPubSubError(error) ? error.code : String(error))
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  })

  const kills = 20
  for (let kill = 1; kill <= kills; kill += 1) {
    const before = accepted.size
    await waitFor(() => accepted.size > before + 50)
    expect(await killSessions(peer, application)).toBe(2)
    await ready(kill + 1)
  }
  running.clear()
  await withDeadline(Promise.all(publishing), 10_000, 'every publish to settle')
  await backend.publish(channel, '"last"')
  await waitFor(() => messages.at(-1)?.payload === '"last"')

  const received = messages.slice(0, -1).map(({ payload }) => Number(payload))
  expect(received).toEqual(received.toSorted((a, b) => a - b))
  expect(new Set(received).size).toBe(received.length)
  expect(gaps).toHaveLength(kills)
  expect(events.filter((event) => event === 'ready')).toHaveLength(kills + 1)
  expect(new Set(rejected)).toEqual(new Set(['outcome_unknown', 'not_sent']))
})

test('what a lost connection leaves open is rejected in the order of the calls, after the state is told', async () => {
  const proxy = await startFaultProxy({ port: Number(new URL(inject('postgresUrl')).port) })
  onTestFinished(() => proxy.close())
  const { backend, events } = await openBackend({ url: proxy.through(inject('postgresUrl')) })
  const channel = uniqueName('order')
  const settled: string[] = []
  const publish = (payload: string): Promise<void> =>
    backend.publish(channel, payload).catch((error: unknown) => {
      settled.push(`${payload} ${isPubSubError(error) ? error.code : String(error)} ${events.at(-1)}`)
    })

  proxy.freeze()
  const first = [publish('1'), publish('2')]
  await new Promise((resolve) => setImmediate(resolve))
  const second = [publish('3'), publish('4')]
  proxy.cut()
  await withDeadline(Promise.all([...first, ...second]), 5_000, 'every publish to settle')
  expect(settled).toEqual([
    '1 outcome_unknown down',
    '2 outcome_unknown down',
    '3 not_sent down',
    '4 not_sent down',
  ])
})

test('a server that falls mute is given up, and taken again when it speaks', async () => {
  const proxy = await startFaultProxy({ port: Number(new URL(inject('postgresUrl')).port) })
  onTestFinished(() => proxy.close())
  const { backend, gaps, ready, causes, payloads } = await openBackend({
    url: proxy.through(inject('postgresUrl')),
  })
  const channel = uniqueName('mute')
  await backend.subscribe(channel)
  proxy.freeze()
  await expect(
    withDeadline(backend.publish(channel, '1'), 10_000, 'the publish to settle'),
  ).rejects.toMatchObject({
    code: 'outcome_unknown',
  })
  expect(causes[0]).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('no answer within 4 s'),
  })
  await expect(backend.publish(channel, '2')).rejects.toMatchObject({ code: 'not_sent' })
  await expect(backend.ping()).rejects.toMatchObject({ code: 'unavailable' })
  proxy.thaw()
  proxy.cut()
  await ready(2)
  expect(gaps).toHaveLength(1)
  await backend.publish(channel, '3')
  expect((await payloads(1)).at(-1)).toBe('3')
})

test('an idle connection that is dead without a sign is noticed', async () => {
  const proxy = await startFaultProxy({ port: Number(new URL(inject('postgresUrl')).port) })
  onTestFinished(() => proxy.close())
  const { events } = await openBackend({ url: proxy.through(inject('postgresUrl')) })
  proxy.freeze()
  await waitFor(() => events.includes('down'), { timeout: 15_000 })
})

test('losing only the connection that publishes is no gap', async () => {
  const peer = openPeer()
  const url = inject('postgresUrl')
  const { backend, gaps, events, ready, payloads, application } = await openBackend({ listenUrl: url })
  const channel = uniqueName('publishing')
  await backend.subscribe(channel)
  expect(await killSessions(peer, application)).toBe(1)
  await ready(2)
  await backend.publish(channel, '1')
  expect(await payloads(1)).toEqual(['1'])
  expect({ gaps, events }).toEqual({ gaps: [], events: ['ready', 'down', 'ready'] })
})

test('losing only the connection that listens is one gap, told before the backend is ready again', async () => {
  const peer = openPeer()
  const listening = uniqueName('listening')
  const { backend, events, ready, payloads } = await openBackend({
    listenUrl: withParameter(inject('postgresUrl'), 'application_name', listening),
  })
  const channel = uniqueName('c')
  await backend.subscribe(channel)
  expect(await killSessions(peer, listening)).toBe(1)
  await ready(2)
  await backend.publish(channel, '1')
  expect(await payloads(1)).toEqual(['1'])
  expect(events).toEqual(['ready', 'down', 'gap', 'ready'])
})

test('a subscription that is asked for while the server is away is confirmed when it is back; one that is left is not', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const { backend, events, gaps, ready, payloads } = await openBackend({ url: server.url })
  const [before, during, left] = [uniqueName('before'), uniqueName('during'), uniqueName('left')]
  await Promise.all([backend.subscribe(before), backend.subscribe(left)])
  await server.halt()
  await waitFor(() => events.at(-1) === 'down')
  const subscribed = backend.subscribe(during)
  await backend.unsubscribe(left)
  await server.restart()
  await withDeadline(subscribed, 10_000, 'the subscription')
  await ready(2)
  await backend.publish(left, '0')
  await backend.publish(before, '1')
  await backend.publish(during, '2')
  expect(await payloads(2)).toEqual(['1', '2'])
  expect(gaps).toHaveLength(1)
})

test('a server that is not there at the start is taken when it comes, without a gap', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  await server.halt()
  const { backend, start, events, causes, ready, gaps, payloads } = makeBackend({ url: server.url })
  await start()
  expect(events).toEqual(['down'])
  expect(causes[0]).toMatchObject({ code: 'unavailable', message: expect.stringContaining('ECONNREFUSED') })
  const channel = uniqueName('late')
  const subscribed = backend.subscribe(channel)
  await expect(backend.publish(channel, '0')).rejects.toMatchObject({ code: 'not_sent' })
  await server.restart()
  await ready()
  await withDeadline(subscribed, 5_000, 'the subscription')
  await backend.publish(channel, '1')
  expect(await payloads(1)).toEqual(['1'])
  expect(gaps).toEqual([])
})

test('a connection that is lost before anything was heard on it is no gap', async () => {
  const { port } = new URL(inject('postgresUrl'))
  let cut = 0
  const server = createServer((outer) => {
    const inner = connect(Number(port), '127.0.0.1')
    for (const socket of [inner, outer])
      socket.on('error', () => {}).on('close', () => [inner, outer].map((end) => end.destroy()))
    inner.pipe(outer)
    outer.on('data', (chunk) => {
      if (cut < 2 && String(chunk).includes('LISTEN')) {
        cut += 1
        outer.destroy()
      } else inner.write(chunk)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const url = inject('postgresUrl').replace(`:${port}/`, `:${(server.address() as AddressInfo).port}/`)
  const { start, ready, events } = makeBackend({ url })
  await start()
  await ready()
  expect(cut).toBe(2)
  expect(events.filter((event) => event !== 'down')).toEqual(['ready'])
})

test('a password that is refused later is tried again until it is taken', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const admin = openPeer(server.url)
  await admin`create role worker login password 'old'`
  const url = new URL(server.url)
  url.username = 'worker'
  url.password = 'old'
  const { events, causes, ready, application } = await openBackend({ url: url.href })
  await admin`alter role worker password 'new'`
  await killSessions(admin, application)
  await waitFor(() => causes.some((cause) => isPubSubError(cause, 'authentication')))
  await admin`alter role worker password 'old'`
  await ready(2)
  expect(events.at(-1)).toBe('ready')
})
