import { uniqueName, waitFor } from '@ps/services/vitest'
import { expect, test } from 'vitest'
import { openBackend, openPeer } from './opened-backend.js'

const partOf = (id: string, index: number, count: number, data: string): string =>
  `{"$ps.part":["${id}",${index},${count}],"data":"${Buffer.from(data).toString('base64')}"}`

test('what is published arrives as it was, from one backend to another', async () => {
  const [publisher, listener] = await Promise.all([openBackend(), openBackend()])
  const channel = uniqueName('round-trip')
  await listener.backend.subscribe(channel)
  await publisher.backend.publish(channel, '{"hello":"wörld 🌍"}')
  await listener.payloads(1)
  expect(listener.messages).toEqual([{ channel, payload: '{"hello":"wörld 🌍"}' }])
  expect(publisher.messages).toEqual([])
})

test('10,000 messages that are published at once arrive in order, and none twice', async () => {
  const { backend, payloads } = await openBackend()
  const channel = uniqueName('many')
  await backend.subscribe(channel)
  const sent = Array.from({ length: 10_000 }, (_, index) => `{"index":${index}}`)
  await Promise.all(sent.map((payload) => backend.publish(channel, payload)))
  expect(await payloads(sent.length)).toEqual(sent)
})

test('the character that parts the messages of a batch may itself be in a message or in the name of a channel', async () => {
  const { backend, messages } = await openBackend()
  const odd = `${uniqueName('odd')}\x1f`
  const plain = uniqueName('plain')
  await Promise.all([odd, plain].map((channel) => backend.subscribe(channel)))
  const sent = [
    { channel: plain, payload: 'a\x1fb' },
    { channel: odd, payload: '"c"' },
    { channel: plain, payload: '\x1f' },
    { channel: odd, payload: `"${'large'.repeat(5_000)}"` },
    { channel: plain, payload: '' },
    { channel: plain, payload: '"d"' },
  ]
  await Promise.all(sent.map(({ channel, payload }) => backend.publish(channel, payload)))
  await waitFor(() => messages.length === sent.length)
  expect(messages).toEqual(sent)
})

test('who subscribes to nothing listens to nothing, so that no notification wakes the session', async () => {
  const { application } = await openBackend()
  const peer = openPeer()
  const sessions = await peer<{ query: string }[]>`
    select query from pg_stat_activity where application_name = ${application}
  `
  expect(new Set(sessions.map(({ query }) => query.split(' ')[0]))).toEqual(new Set(['NOTIFY', 'UNLISTEN']))
})

test('small, larger and largest messages keep their order among one another', async () => {
  const { backend, payloads } = await openBackend()
  const channel = uniqueName('sizes')
  await backend.subscribe(channel)
  const sent = Array.from({ length: 30 }, (_, index) =>
    JSON.stringify(`${index}:`.padEnd([10, 20_000, 1_048_500][index % 3] ?? 0, 'x')),
  )
  await Promise.all(sent.map((payload) => backend.publish(channel, payload)))
  const received = await payloads(sent.length)
  expect(received.map((payload) => payload.slice(0, 6))).toEqual(sent.map((payload) => payload.slice(0, 6)))
  expect(received).toEqual(sent)
})

test('every size around the limit of one notification arrives whole, also in characters of several bytes', async () => {
  const { backend, payloads } = await openBackend()
  const channel = uniqueName('limit')
  await backend.subscribe(channel)
  const sent: string[] = []
  for (let bytes = 7_990; bytes <= 8_010; bytes += 1) {
    for (const character of ['x', 'é', '語', '🌍']) {
      const width = Buffer.byteLength(character)
      const room = bytes - 2
      sent.push(JSON.stringify('-'.repeat(room % width) + character.repeat(Math.floor(room / width))))
      expect(Buffer.byteLength(sent.at(-1) ?? '')).toBe(bytes)
    }
  }
  await Promise.all(sent.map((payload) => backend.publish(channel, payload)))
  expect(await payloads(sent.length)).toEqual(sent)
})

test('equal messages that are published at once all arrive', async () => {
  const { backend, payloads } = await openBackend()
  const channel = uniqueName('equal')
  await backend.subscribe(channel)
  const sent = ['1', '1', '1', '"x"', ...Array.from({ length: 1_000 }, () => '{"same":true}')]
  await Promise.all(sent.map((payload) => backend.publish(channel, payload)))
  expect(await payloads(sent.length)).toEqual(sent)
})

test('equal messages that leave no room for a mark all arrive', async () => {
  const { backend, payloads } = await openBackend()
  const channel = uniqueName('full')
  await backend.subscribe(channel)
  const sent = [7_999, 7_998].flatMap((bytes) =>
    Array.from({ length: 7 }, () => JSON.stringify('x'.repeat(bytes - 2))),
  )
  await Promise.all(sent.map((payload) => backend.publish(channel, payload)))
  expect(await payloads(sent.length)).toEqual(sent)
})

test('equal messages on two channels are not taken for copies of one another', async () => {
  const [{ backend }, peer] = [await openBackend(), openPeer()]
  const channels = [uniqueName('one'), uniqueName('two')] as const
  const heard: string[] = []
  for (const channel of channels) await peer.listen(channel, (payload) => heard.push(payload))
  await Promise.all(channels.map((channel) => backend.publish(channel, '7')))
  await waitFor(() => heard.length === 2)
  expect(heard).toEqual(['7', '7'])
})

test('a channel may have any name of up to 255 bytes', async () => {
  const { backend, messages, payloads } = await openBackend()
  const unique = uniqueName('n')
  const names = [
    unique.padEnd(63, 'x'),
    unique.padEnd(64, 'x'),
    unique.padEnd(255, 'x'),
    `${unique}"; drop table "users`,
    `${unique}'\\`,
    `${unique} Größe 🌍`,
    `${unique}${'🌍'.repeat(50)}`,
    unique.toUpperCase(),
    `${unique}\n`,
  ]
  await Promise.all(names.map((name) => backend.subscribe(name)))
  for (const [index, name] of names.entries()) await backend.publish(name, String(index))
  await payloads(names.length)
  expect(messages).toEqual(names.map((channel, index) => ({ channel, payload: String(index) })))
})

test('two long channels that share their first 63 bytes are two channels', async () => {
  const { backend, messages, payloads } = await openBackend()
  const shared = uniqueName('long').padEnd(63, 'x')
  await backend.subscribe(`${shared}-a`)
  await backend.publish(`${shared}-b`, '"b"')
  await backend.publish(`${shared}-a`, '"a"')
  await payloads(1)
  expect(messages).toEqual([{ channel: `${shared}-a`, payload: '"a"' }])
})

test('a plain LISTEN gets the JSON text of a message, and a plain pg_notify reaches a subscription', async () => {
  const [{ backend, payloads }, peer] = [await openBackend(), openPeer()]
  const channel = uniqueName('plain')
  const heard: string[] = []
  await peer.listen(channel, (payload) => heard.push(payload))
  await backend.subscribe(channel)
  await backend.publish(channel, '{"from":"us"}')
  await peer`select pg_notify(${channel}, '{"from": "psql"}')`
  expect(await payloads(2)).toEqual(['{"from":"us"}', '{"from": "psql"}'])
  await waitFor(() => heard.length === 2)
  expect(heard).toEqual(['{"from":"us"}', '{"from": "psql"}'])
})

test('a text that is no JSON is handed over like any other', async () => {
  const [{ backend, payloads, invalid }, peer] = [await openBackend(), openPeer()]
  const channel = uniqueName('text')
  await backend.subscribe(channel)
  await peer`select pg_notify(${channel}, 'hello')`
  await peer`select pg_notify(${channel}, '')`
  expect(await payloads(2)).toEqual(['hello', ''])
  expect(invalid).toEqual([])
})

test('a message that looks like a part arrives as it was, and is the same JSON to everybody', async () => {
  const [{ backend, payloads }, peer] = [await openBackend(), openPeer()]
  const channel = uniqueName('part')
  const heard: string[] = []
  await peer.listen(channel, (payload) => heard.push(payload))
  await backend.subscribe(channel)
  const sent = [partOf('id', 0, 1, '"no part"'), '{"$ps.part":1}', `{"$ps.part":"${'x'.repeat(20_000)}"}`]
  for (const payload of sent) await backend.publish(channel, payload)
  expect(await payloads(3)).toEqual(sent)
  await waitFor(() => heard.length >= 2)
  expect(JSON.parse(heard[0] ?? '')).toEqual(JSON.parse(sent[0] ?? ''))
  expect(JSON.parse(heard[1] ?? '')).toEqual(JSON.parse(sent[1] ?? ''))
})

test('a message in parts may come from another program, also with spaces in its JSON', async () => {
  const [{ backend, payloads }, peer] = [await openBackend(), openPeer()]
  const channel = uniqueName('foreign-parts')
  await backend.subscribe(channel)
  await peer`select pg_notify(${channel}, ${partOf('a', 0, 2, '{"x":')})`
  await peer`select pg_notify(${channel}, ${'{"$ps.part": ["a", 1, 2], "data": "MX0="}\n'})`
  expect(await payloads(1)).toEqual(['{"x":1}'])
})

test('what begins like a part but is none is an ordinary message', async () => {
  const [{ backend, payloads, invalid }, peer] = [await openBackend(), openPeer()]
  const channel = uniqueName('no-part')
  await backend.subscribe(channel)
  const sent = [
    '{"$ps.part":["a",0,1]}',
    '{"$ps.part":["a",1,1],"data":"MQ=="}',
    '{"$ps.part":["a",0,1],"data":"%"}',
    '{"$ps.part":["a",0,1],"data":""}',
    '{"$ps.part":["a",0,1],"data":"MQ==","more":1}',
    '{"$ps.part":["a",-1,1],"data":"MQ=="}',
    '{"$ps.part":[1,0,1],"data":"MQ=="}',
    '{"$ps.part":',
  ]
  for (const payload of sent) await peer`select pg_notify(${channel}, ${payload})`
  expect(await payloads(sent.length)).toEqual(sent)
  expect(invalid).toEqual([])
})

test('a message in parts that breaks off, is not UTF-8 or too long is reported once, and hurts no other', async () => {
  const [{ backend, payloads, invalid }, peer] = [await openBackend({ maxMessageBytes: 1_000 }), openPeer()]
  const channel = uniqueName('broken')
  await backend.subscribe(channel)
  const long = 'x'.repeat(5_000)
  const sent = [
    partOf('broken-off', 0, 3, '{"x":'),
    '"after broken off"',
    partOf('broken-off', 1, 3, '1'),
    partOf('broken-off', 2, 3, '}'),
    partOf('headless', 1, 2, '1}'),
    '{"$ps.part":["binary",0,1],"data":"/w=="}',
    ...Array.from({ length: 20 }, (_, index) => partOf('long', index, 20, long)),
    partOf('whole', 0, 2, '"whole'),
    partOf('whole', 1, 2, '"'),
  ]
  for (const payload of sent) await peer`select pg_notify(${channel}, ${payload})`
  expect(await payloads(2)).toEqual(['"after broken off"', '"whole"'])
  expect(invalid.map(({ cause }) => cause.message)).toEqual([
    'a message in parts broke off',
    'a part came without the parts before it',
    'a message in parts is not UTF-8',
    'a message in parts is longer than 66536 bytes',
  ])
  expect(invalid.every((report) => report.channel === channel)).toBe(true)
})

test('after unsubscribe nothing of the channel is delivered, and the server has let go of it', async () => {
  const peer = openPeer()
  const { backend, messages, payloads, application } = await openBackend()
  const [kept, left] = [uniqueName('kept'), uniqueName('left')]
  await Promise.all([backend.subscribe(kept), backend.subscribe(left)])
  await backend.publish(left, '1')
  await payloads(1)
  await backend.unsubscribe(left)
  const [session] = await peer`
    select state from pg_stat_activity
    where application_name = ${application} and query = ${`UNLISTEN "${left}"`}
  `
  expect(session).toEqual({ state: 'idle' })
  await backend.publish(left, '2')
  await backend.publish(kept, '3')
  await payloads(2)
  expect(messages.map(({ payload }) => payload)).toEqual(['1', '3'])
  await backend.subscribe(left)
  await backend.publish(left, '4')
  expect(await payloads(3)).toEqual(['1', '3', '4'])
})

test('nothing is delivered once unsubscribe was called, not even what has arrived already', async () => {
  const peer = openPeer()
  const [left, kept] = [uniqueName('left'), uniqueName('kept')]
  let unsubscribed: Promise<void> | undefined
  const { backend, messages, payloads } = await openBackend({}, (channel) => {
    if (channel === left) unsubscribed ??= backend.unsubscribe(left)
  })
  await Promise.all([backend.subscribe(left), backend.subscribe(kept)])
  // One transaction: all of it reaches the client together.
  await peer`select pg_notify(${left}, n::text) from generate_series(1, 100) n`
  await peer`select pg_notify(${kept}, '"kept"')`
  await waitFor(() => messages.some(({ channel }) => channel === kept))
  await unsubscribed
  expect(await payloads(2)).toEqual(['1', '"kept"'])
})

test('channels that are subscribed to together cost one statement', async () => {
  const peer = openPeer()
  const { backend, application } = await openBackend()
  // The server shows the first kilobyte of a statement.
  const channels = Array.from({ length: 10 }, () => uniqueName('c'))
  await Promise.all(channels.map((channel) => backend.subscribe(channel)))
  const sessions = await peer<{ query: string }[]>`
    select query from pg_stat_activity where application_name = ${application}
  `
  expect(sessions.map(({ query }) => query)).toContain(
    channels.map((channel) => `LISTEN "${channel}"`).join(';'),
  )
})

test('thousands of channels can be subscribed to at once', async () => {
  const { backend, payloads } = await openBackend()
  const channels = Array.from({ length: 2_500 }, () => uniqueName('c'))
  await Promise.all(channels.map((channel) => backend.subscribe(channel)))
  await Promise.all(channels.map((channel, index) => backend.publish(channel, String(index))))
  expect(await payloads(channels.length)).toEqual(channels.map((_, index) => String(index)))
})

test('a message that the server refuses fails alone', async () => {
  const { backend, payloads } = await openBackend()
  const channel = uniqueName('refused')
  await backend.subscribe(channel)
  const outcomes = await Promise.allSettled(
    ['1', '2', '"\0"', '4', '5'].map((payload) => backend.publish(channel, payload)),
  )
  expect(outcomes.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ])
  expect(outcomes[2]).toMatchObject({ reason: { code: 'not_sent', channel, backend: 'postgres' } })
  expect(await payloads(4)).toEqual(['1', '2', '4', '5'])
})
