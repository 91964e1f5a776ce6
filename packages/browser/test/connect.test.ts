import { waitFor } from '@ps/services/vitest'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  connect,
  type Connection,
  type ConnectionState,
  type ConnectOptions,
  type Gap,
} from '../src/index.js'
import { type EventServer, type ReceivedRequest, startEventServer } from './event-server.js'

let server: EventServer
const connections: Connection[] = []
beforeEach(async () => {
  server = await startEventServer()
})
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close()
  await server.close()
})

interface Heard {
  readonly connection: Connection
  readonly messages: unknown[]
  readonly gaps: Gap[]
  readonly states: ConnectionState[]
  state(kind: ConnectionState['kind'], count?: number): Promise<ConnectionState>
}

function listen(options: Partial<ConnectOptions> = {}): Heard {
  const messages: unknown[] = []
  const gaps: Gap[] = []
  const states: ConnectionState[] = []
  const connection = connect(server.address, {
    channels: ['a'],
    onMessage: ({ message }) => messages.push(message),
    onGap: (gap) => gaps.push(gap),
    onState: (state) => states.push(state),
    ...options,
  })
  connections.push(connection)
  return {
    connection,
    messages,
    gaps,
    states,
    state: (kind, count = 1) =>
      waitFor(() => states.filter((state) => state.kind === kind)[count - 1], { what: `${kind} ${count}` }),
  }
}

const message = (request: ReceivedRequest, sequence: number, channel = 'a', epoch = 'e'): void =>
  request.send('message', { channel, message: `${channel}${sequence}` }, `${epoch}.${sequence}`)

const arrived = (heard: Heard, count: number): Promise<unknown> =>
  waitFor(() => heard.messages.length >= count, { what: `${count} messages` })

describe('coming back', () => {
  test('a stream that is cut is opened again behind the last event that came', async () => {
    const heard = listen()
    const first = await server.request(0)
    expect(first.query.get('last_event_id')).toBe(null)
    first.hello({ head: 'e.4' })
    message(first, 5)
    message(first, 6)
    await arrived(heard, 2)
    expect(heard.connection.lastEventId).toBe('e.6')
    first.cut()
    const second = await server.request(1)
    expect(second.query.get('last_event_id')).toBe('e.6')
    second.hello({ head: 'e.8', resumed: 'full' })
    message(second, 7)
    message(second, 8)
    await arrived(heard, 4)
    expect(heard.messages).toEqual(['a5', 'a6', 'a7', 'a8'])
    expect(heard.gaps).toEqual([])
    expect(heard.states.map(({ kind }) => kind)).toEqual(['live', 'reconnecting', 'live'])
  })

  test('what the server says of what was missed, and its name for the stream, are in the state', async () => {
    const heard = listen({ lastEventId: 'e.2' })
    const [first, second, third] = [
      { head: 'e.4', stream: 'one', resumed: 'full' },
      { head: 'e.5', stream: 'two', resumed: 'partial' },
      { head: 'e.6' },
    ]
    for (const [number, hello] of [first, second, third].entries()) {
      const request = await server.request(number)
      request.hello(hello ?? {})
      await heard.state('live', number + 1)
      request.cut()
    }
    expect(heard.states.filter(({ kind }) => kind === 'live')).toMatchObject([
      { resumed: 'full', stream: 'one' },
      { resumed: 'partial', stream: 'two' },
      // An older server, or somebody else's.
      { resumed: 'none', stream: undefined },
    ])
  })

  test('another fetch may be given, and what it answers is read', async () => {
    const asked: string[] = []
    const heard = listen({
      fetch: async (address, init) => {
        if (typeof address === 'string') asked.push(address)
        const answer = await fetch(address, init)
        return new Response(answer.body, answer)
      },
    })
    const request = await server.request(0)
    request.hello({ head: 'e.4' })
    message(request, 5)
    await arrived(heard, 1)
    expect(asked).toEqual([`${server.address}?channel=a`])
  })

  test('a stream that was cut before anything came goes on where it began', async () => {
    const heard = listen()
    ;(await server.request(0)).hello({ head: 'e.4' })
    await heard.state('live')
    server.requests[0]?.cut()
    expect((await server.request(1)).query.get('last_event_id')).toBe('e.4')
  })

  test('a gap that is told is a gap, once, and its place is where to go on', async () => {
    const heard = listen()
    ;(await server.request(0)).hello({ head: 'old.4' })
    await heard.state('live')
    server.requests[0]?.cut()
    const second = await server.request(1)
    second.hello({ head: 'new.2', resumed: 'none' })
    second.send('ps.gap', { channel: 'a', reason: 'another server', missed: 3 }, 'new.2')
    message(second, 3, 'a', 'new')
    await arrived(heard, 1)
    expect(heard.gaps).toEqual([{ channel: 'a', reason: 'another server', missed: 3 }])
    expect(heard.connection.lastEventId).toBe('new.3')
  })

  test('an answer other than 200 is no end', async () => {
    const heard = listen()
    for (const [number, status] of [503, 204].entries())
      (await server.request(number)).answer(status, { 'retry-after': '0' })
    ;(await server.request(2)).answer(200, { 'content-type': 'text/html' }, '<p>sign in</p>')
    ;(await server.request(3)).hello({ head: 'e.0' })
    await heard.state('live')
    expect(heard.states.flatMap((state) => (state.kind === 'reconnecting' ? [state.status] : []))).toEqual([
      503,
      204,
      undefined,
    ])
  })

  test('a stream that the server renews is followed at once by the next, and nobody is told', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const heard = listen()
      const first = await server.request(0)
      first.hello({ head: 'e.1' })
      await heard.state('live')
      vi.setSystemTime(Date.now() + 600_000)
      first.bye('renew')
      const second = await server.request(1)
      // The server may leave the socket open: the goodbye is what counts.
      await waitFor(first.isClosed)
      second.hello({ head: 'e.1', resumed: 'full' })
      await heard.state('live', 2)
      expect(heard.states.map(({ kind }) => kind)).toEqual(['live', 'live'])
      expect(heard.states[1]).toMatchObject({ since: (heard.states[0] as { since: number }).since })
    } finally {
      vi.useRealTimers()
    }
  })

  test('a server that says goodbye at every hello is not asked without a pause', async () => {
    const heard = listen()
    for (let number = 0; number < 3; number += 1) {
      const request = await server.request(number)
      request.hello({ head: 'e.1' })
      request.bye('renew')
    }
    await heard.state('reconnecting', 3)
    const waits = heard.states.flatMap((state) => (state.kind === 'reconnecting' ? [state] : []))
    for (const { retryAt, since } of waits) expect(retryAt).toBeGreaterThan(since)
  })

  test('nor where it only began to do so after a stream that was live for long', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const heard = listen()
      const first = await server.request(0)
      first.hello({ head: 'e.1' })
      await heard.state('live')
      vi.setSystemTime(Date.now() + 600_000)
      first.bye('renew')
      for (let number = 1; number <= 3; number += 1) {
        const request = await server.request(number)
        request.hello({ head: 'e.1' })
        request.bye('expired')
      }
      await heard.state('reconnecting', 3)
    } finally {
      vi.useRealTimers()
    }
  })

  test.each([
    ['in seconds, more of them than a timer can wait', () => '2592000', 20 * 86_400_000],
    ['as a date', () => new Date(Date.now() + 3_600_000).toUTCString(), 3_000_000],
  ])('what the server asks to wait for is waited for: %s', async (_, retryAfter, least) => {
    const heard = listen()
    ;(await server.request(0)).answer(503, { 'retry-after': retryAfter() })
    expect(await heard.state('reconnecting')).toMatchObject({ status: 503 })
    const { retryAt } = heard.connection.state as { retryAt: number }
    expect(retryAt - Date.now()).toBeGreaterThan(least)
    const other = listen({ channels: ['b'] })
    ;(await server.request(1)).answer(503)
    ;(await server.request(2)).hello({ head: 'e.0' })
    await other.state('live')
    expect(server.requests.map(({ query }) => query.get('channel'))).toEqual(['a', 'b', 'b'])
  })

  test('a silent stream is dead after 40 s, and looked at when the page is seen again', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] })
    try {
      const heard = listen()
      ;(await server.request(0)).hello({ head: 'e.9' })
      await heard.state('live')
      vi.setSystemTime(Date.now() + 39_000)
      vi.advanceTimersByTime(500)
      expect(heard.connection.state.kind).toBe('live')
      vi.setSystemTime(Date.now() + 60_000)
      vi.advanceTimersByTime(5_000)
      expect(heard.connection.state).toMatchObject({ kind: 'reconnecting', reason: 'the server was silent' })
      expect((await server.request(1)).query.get('last_event_id')).toBe('e.9')
    } finally {
      vi.useRealTimers()
    }
  })

  test('`lastEventId` begins behind an earlier place, and what is sent again is delivered', async () => {
    const heard = listen({ lastEventId: 'e.3' })
    const request = await server.request(0)
    expect(request.query.get('last_event_id')).toBe('e.3')
    request.hello({ head: 'e.5', resumed: 'full' })
    message(request, 4)
    message(request, 5)
    message(request, 6)
    await arrived(heard, 3)
    expect(heard.messages).toEqual(['a4', 'a5', 'a6'])
  })

  test('an empty `lastEventId` is none', async () => {
    const heard = listen({ lastEventId: '' })
    const first = await server.request(0)
    expect(first.query.get('last_event_id')).toBe(null)
    first.hello({ head: 'e.4' })
    await heard.state('live')
    first.cut()
    expect((await server.request(1)).query.get('last_event_id')).toBe('e.4')
  })

  test('another process counts for itself, also one that does not say where it is', async () => {
    const heard = listen()
    const first = await server.request(0)
    first.hello({})
    message(first, 50, 'a', 'old')
    await arrived(heard, 1)
    first.cut()
    const second = await server.request(1)
    second.hello({})
    message(second, 1, 'a', 'new')
    await arrived(heard, 2)
    expect(heard.messages).toEqual(['a50', 'a1'])
  })
})

describe('what the server refuses', () => {
  test.each([400, 403])('%i is not tried again until the channels change', async (status) => {
    const heard = listen()
    ;(await server.request(0)).answer(
      status,
      { 'content-type': 'application/problem+json' },
      JSON.stringify({ title: 'No', detail: 'not this channel' }),
    )
    expect(await heard.state('refused')).toEqual({ kind: 'refused', reason: 'not this channel', status })
    heard.connection.setChannels(['b'])
    expect((await server.request(1)).query.getAll('channel')).toEqual(['b'])
    expect(server.requests.length).toBe(2)
  })

  test('a channel that the broker does not permit ends the attempts, and `reconnect` makes one', async () => {
    const heard = listen()
    const first = await server.request(0)
    first.hello({ head: 'e.1' })
    first.bye('refused')
    await heard.state('refused')
    heard.connection.reconnect()
    ;(await server.request(1)).hello({ head: 'e.1' })
    await heard.state('live', 2)
  })

  test('401 ends the attempts with one token for all, and brings another where there is a function', async () => {
    const fixed = listen({ token: 'fixed' })
    const first = await server.request(0)
    expect(first.headers.authorization).toBe('Bearer fixed')
    first.answer(401)
    expect(await fixed.state('refused')).toMatchObject({ status: 401 })

    let number = 0
    const renewed = listen({ token: async () => `number-${++number}` })
    ;(await server.request(1)).answer(401)
    const second = await server.request(2)
    expect(second.headers.authorization).toBe('Bearer number-2')
    expect([...second.query.keys()]).toEqual(['channel'])
    second.hello({ head: 'e.1' })
    await renewed.state('live')
  })

  test('each attempt has a ticket of its own', async () => {
    let number = 0
    listen({ ticket: () => `ticket-${++number}` })
    const first = await server.request(0)
    expect(first.query.get('ticket')).toBe('ticket-1')
    expect(first.headers.authorization).toBeUndefined()
    first.answer(503)
    expect((await server.request(1)).query.get('ticket')).toBe('ticket-2')
  })

  test.each([new Error('the login server is away'), new TypeError('session is undefined')])(
    'a token that cannot be had is tried again, and the reason is told: %s',
    async (error) => {
      let number = 0
      const heard = listen({
        async token() {
          number += 1
          if (number === 1) throw error
          return 'good'
        },
      })
      expect(await heard.state('reconnecting')).toMatchObject({ reason: error.message })
      expect((await server.request(0)).headers.authorization).toBe('Bearer good')
    },
  )

  test('no channel, or more than 64, is an error at once', () => {
    expect(() => listen({ channels: [] })).toThrow(RangeError)
    expect(() => listen({ channels: Array.from({ length: 65 }, (_, index) => `c${index}`) })).toThrow(
      '1 to 64',
    )
  })
})

describe('other channels', () => {
  test('go over to a new stream without a hole, a double, or a gap for the new one', async () => {
    const heard = listen()
    const first = await server.request(0)
    first.hello({ head: 'e.1' })
    message(first, 2)
    await arrived(heard, 1)
    heard.connection.setChannels(['a', 'b'])
    const second = await server.request(1)
    expect(second.query.getAll('channel')).toEqual(['a', 'b'])
    expect(second.query.get('last_event_id')).toBe('e.2')
    // Meanwhile on the stream of before, which is heard until the new one is live.
    message(first, 3)
    message(first, 7)
    await arrived(heard, 3)
    expect(first.isClosed()).toBe(false)
    second.hello({ head: 'e.5', resumed: 'partial' })
    message(second, 3)
    second.send('ps.gap', { channel: 'b', reason: 'the channel was not listened to before' }, 'e.4')
    message(second, 5, 'b')
    message(second, 6, 'b')
    message(second, 7)
    message(second, 8)
    await arrived(heard, 5)
    expect(heard.messages).toEqual(['a2', 'a3', 'a7', 'b6', 'a8'])
    expect(heard.gaps).toEqual([])
    await waitFor(first.isClosed)
    expect(heard.states.map(({ kind }) => kind)).toEqual(['live', 'live'])
    expect(heard.connection.state).toMatchObject({ channels: ['a', 'b'] })
  })

  test('that are refused leave the stream of before as it is', async () => {
    const heard = listen()
    const first = await server.request(0)
    first.hello({ head: 'e.1' })
    await heard.state('live')
    heard.connection.setChannels(['a', '$ps.x'])
    ;(await server.request(1)).answer(403)
    await heard.state('refused')
    message(first, 2)
    await arrived(heard, 1)
    heard.connection.setChannels(['a'])
    ;(await server.request(2)).hello({ head: 'e.2' })
    await heard.state('live', 2)
  })

  test('that are refused are not asked for when the stream of before is renewed, but when the page says so', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const heard = listen()
      const first = await server.request(0)
      first.hello({ head: 'e.1' })
      await heard.state('live')
      heard.connection.setChannels(['a', '$ps.x'])
      ;(await server.request(1)).answer(403)
      await heard.state('refused')
      vi.setSystemTime(Date.now() + 600_000)
      first.bye('renew')
      const second = await server.request(2)
      expect(second.query.getAll('channel')).toEqual(['a'])
      second.hello({ head: 'e.2', resumed: 'full' })
      expect(await heard.state('live', 2)).toMatchObject({ channels: ['a'] })
      message(second, 3)
      await arrived(heard, 1)
      heard.connection.reconnect()
      expect((await server.request(3)).query.getAll('channel')).toEqual(['a', '$ps.x'])
    } finally {
      vi.useRealTimers()
    }
  })

  test('the same channels in another order open nothing', async () => {
    const heard = listen({ channels: ['a', 'b'] })
    ;(await server.request(0)).hello({ head: 'e.1' })
    await heard.state('live')
    heard.connection.setChannels(['b', 'a'])
    heard.connection.setChannels(['a', 'b', 'c'])
    expect((await server.request(1)).query.getAll('channel')).toEqual(['a', 'b', 'c'])
  })
})

test('a server whose brokers are away is live without being confirmed until each unconfirmed channel has told its gap', async () => {
  const heard = listen({ channels: ['a', 'b', 'c'] })
  const request = await server.request(0)
  request.hello({ head: 'e.2', live: false, unconfirmed: ['a', 'b'] })
  expect(await heard.state('live')).toMatchObject({ confirmed: false })
  request.send('ps.gap', { channel: 'a', reason: 'was away' }, 'e.3')
  request.send('ps.gap', { channel: 'b', reason: 'was away' }, 'e.4')
  expect(await heard.state('live', 2)).toMatchObject({ confirmed: true })
  expect(heard.gaps.map(({ channel }) => channel)).toEqual(['a', 'b'])
})

test('a page that closes the connection once it is confirmed has been told the gaps before', async () => {
  const told: string[] = []
  const connection = connect(server.address, {
    channels: ['a'],
    onMessage: () => undefined,
    onGap: () => told.push('gap'),
    onState(state) {
      told.push(state.kind)
      if (state.kind === 'live' && state.confirmed) connection.close()
    },
  })
  connections.push(connection)
  const request = await server.request(0)
  request.hello({ head: 'e.1', live: false })
  request.send('ps.gap', { channel: 'a', reason: 'was away' }, 'e.2')
  await waitFor(request.isClosed)
  expect(told).toEqual(['live', 'gap', 'live', 'closed'])
})

test('a callback that throws is reported as uncaught, and the next message comes', async () => {
  const uncaught: unknown[] = []
  const report = (error: unknown): void => void uncaught.push(error)
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', report)
  try {
    const messages: unknown[] = []
    listen({
      onMessage({ message: content }) {
        messages.push(content)
        if (messages.length === 1) throw new Error('of the page')
      },
    })
    const request = await server.request(0)
    request.hello({ head: 'e.0' })
    message(request, 1)
    message(request, 2)
    await waitFor(() => messages.length === 2 && uncaught.length === 1)
    expect(uncaught).toMatchObject([{ message: 'of the page' }])
  } finally {
    process.removeListener('uncaughtException', report)
    for (const listener of before) process.on('uncaughtException', listener)
  }
})

test('`close` ends the stream and what waits, and is the last state', async () => {
  const heard = listen()
  const first = await server.request(0)
  first.hello({ head: 'e.0' })
  await heard.state('live')
  heard.connection.close()
  heard.connection.close()
  heard.connection.setChannels(['b'])
  heard.connection.reconnect()
  await waitFor(first.isClosed)
  expect(heard.states.map(({ kind }) => kind)).toEqual(['live', 'closed'])

  const waiting = listen()
  ;(await server.request(1)).answer(503)
  await waiting.state('reconnecting')
  waiting.connection.close()
  const later = listen()
  ;(await server.request(2)).answer(503)
  await later.state('reconnecting')
  ;(await server.request(3)).hello({ head: 'e.0' })
  expect(server.requests.length).toBe(4)
})

test('`close` in a callback, or while the page is asked for a token, is the end, too', async () => {
  const kinds: string[] = []
  const inState = connect(server.address, {
    channels: ['a'],
    onMessage: () => undefined,
    onState({ kind }) {
      kinds.push(kind)
      if (kind === 'reconnecting') inState.close()
    },
  })
  connections.push(inState)
  ;(await server.request(0)).answer(503)
  await waitFor(() => kinds.includes('closed'))

  let tokens = 0
  const inToken = listen({
    token() {
      tokens += 1
      if (tokens === 2) inToken.connection.close()
      return 'any'
    },
  })
  ;(await server.request(1)).answer(503)
  await inToken.state('closed')

  const other = listen({ channels: ['b'] })
  // Its third attempt comes after any that the others would have made.
  for (const number of [2, 3]) (await server.request(number)).answer(503)
  ;(await server.request(4)).hello({ head: 'e.0' })
  await other.state('live')
  expect(server.requests.map(({ query }) => query.get('channel'))).toEqual(['a', 'a', 'b', 'b', 'b'])
  expect(kinds).toEqual(['reconnecting', 'closed'])
  expect(inToken.states.map(({ kind }) => kind)).toEqual(['reconnecting', 'closed'])
})
