import { networkInterfaces } from 'node:os'
import { requireRedis, runExample, waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { connectAdmin, inspectDeep, observe, outcome, startReady, startOwnRedis } from './observed-backend.js'

it.for([
  { what: 'a wrong password', credentials: ':wrong-secret@' },
  { what: 'an unknown user', credentials: 'nobody:wrong-secret@' },
  { what: 'no password', credentials: '' },
])(
  '$what at the first connect rejects with "authentication", without the password',
  async ({ credentials }, test) => {
    const redis = await startOwnRedis(test, { password: 'right' })
    const { backend, start, events } = observe(test, `redis://${credentials}127.0.0.1:${redis.port}`)
    const error = await start().catch((error: unknown) => error)
    expect(error).toMatchObject({ name: 'PubSubError', code: 'authentication' })
    expect(inspectDeep(error)).toContain(`127.0.0.1:${redis.port}`)
    expect(inspectDeep(error)).not.toContain('wrong-secret')
    expect(events).toEqual([])
    expect(await outcome(backend.publish('c', '1'))).toBe('not_sent')
  },
)

it('a password that is refused later is tried again until it is taken', async (test) => {
  const redis = await startOwnRedis(test, { password: 'first' })
  const admin = connectAdmin(test, redis.url)
  const observed = await startReady(test, redis.url)
  await observed.backend.subscribe('c')
  await admin.config('SET', 'requirepass', 'second')
  await admin.client('KILL', 'TYPE', 'PUBSUB')
  await waitFor(() => observed.cause?.message.includes('WRONGPASS'))
  expect(inspectDeep(observed.cause)).not.toContain('first')
  await admin.config('SET', 'requirepass', 'first')
  await waitFor(() => observed.state === 'ready')
  expect(observed.gaps).toHaveLength(1)
})

it('a channel that the user may not use is refused with "not_permitted", and no other call with it', async (test) => {
  const redis = await startOwnRedis(test)
  const admin = connectAdmin(test, redis.url)
  // Neither PING nor CLIENT is needed.
  await admin.acl(
    'SETUSER',
    'limited',
    'on',
    '>secret',
    'resetchannels',
    '&allowed*',
    '+publish',
    '+subscribe',
    '+unsubscribe',
  )
  const observed = await startReady(test, `redis://limited:secret@127.0.0.1:${redis.port}`)
  const { backend } = observed
  expect(
    await Promise.all([
      outcome(backend.subscribe('allowed 1')),
      outcome(backend.subscribe('forbidden')),
      outcome(backend.subscribe('allowed 2')),
    ]),
  ).toEqual(['resolved', 'not_permitted', 'resolved'])
  expect(
    await Promise.all([
      outcome(backend.publish('allowed 1', '1')),
      outcome(backend.publish('forbidden', '2')),
      outcome(backend.publish('allowed 2', '3')),
    ]),
  ).toEqual(['resolved', 'not_permitted', 'resolved'])
  await backend.ping()
  await waitFor(() => observed.messages.length === 2)
  expect(observed.events).toEqual([])
})

it('a permission that is taken away from a subscribed channel is told as down, and given back as a gap', async (test) => {
  const redis = await startOwnRedis(test)
  const admin = connectAdmin(test, redis.url)
  await admin.acl('SETUSER', 'limited', 'on', '>secret', 'resetchannels', '&c', '+@all')
  const observed = await startReady(test, `redis://limited:secret@127.0.0.1:${redis.port}`)
  await observed.backend.subscribe('c')
  await admin.acl('SETUSER', 'limited', 'resetchannels')
  await waitFor(() => observed.cause?.message.includes('NOPERM'))
  await admin.acl('SETUSER', 'limited', '&c')
  await waitFor(() => observed.state === 'ready')
  expect(observed.gaps).toHaveLength(1)
  await observed.backend.publish('c', '1')
  await waitFor(() => observed.payloads('c').length === 1)
})

it('TLS works with an authority of one’s own, and a certificate that nobody vouches for is a fault of configuration', async (test) => {
  const redis = await startOwnRedis(test, { tls: true, password: 'p@ss/word#?%' })
  const observed = await startReady(test, `${redis.url}?ca=${encodeURIComponent(redis.caFile ?? '')}`)
  await observed.backend.subscribe('c')
  await observed.backend.publish('c', 'x'.repeat(100_000))
  await waitFor(() => observed.payloads('c').length === 1)
  expect(await outcome(observe(test, redis.url).start())).toBe('configuration')
})

it('TLS to a port that has none, and none to a port that expects it, is down with advice', async (test) => {
  const plain = observe(test, requireRedis(test).replace('redis://', 'rediss://'))
  await plain.start()
  await waitFor(() => plain.cause?.message.includes('the URL begins with redis, not rediss'))
  const redis = await startOwnRedis(test, { tls: true })
  const encrypted = observe(test, redis.url.replace('rediss://', 'redis://'))
  await encrypted.start()
  await waitFor(() => encrypted.cause?.message.includes('the URL begins with rediss'))
})

it('a payload that is not UTF-8 is reported as invalid, and hurts no other', async (test) => {
  const url = requireRedis(test)
  const admin = connectAdmin(test, url)
  const observed = await startReady(test, url)
  const channel = `invalid ${crypto.randomUUID()}`
  await observed.backend.subscribe(channel)
  await admin.publish(channel, Buffer.from([0x22, 0xff, 0x22]))
  await admin.publish(channel, '')
  await admin.publish(channel, '"after"')
  await waitFor(() => observed.payloads(channel).length === 2)
  expect(observed.payloads(channel)).toEqual(['', '"after"'])
  expect(observed.invalid).toEqual([channel])
})

it('a server in protected mode is down with what it says, where one comes from elsewhere', async (test) => {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const { address } =
    addresses.find(({ family, internal }) => family === 'IPv4' && !internal) ??
    test.skip('this machine has no address but that of itself')
  const redis = await startOwnRedis(test, {
    settings: { bind: ['127.0.0.1', address], 'protected-mode': 'yes' },
  })
  const observed = observe(test, `redis://${address}:${redis.port}`)
  await observed.start()
  expect(observed.state).toBe('down')
  expect(observed.cause?.message).toContain('DENIED Redis is running in protected mode')
})

it.for([
  ['speaks RESP 3', {}],
  ['knows only RESP 2', { 'rename-command': ['HELLO', ''] }],
] as const)(
  'a password that the server does not ask for, which %s, is no fault, and nothing is written to the console',
  async ([, settings], test) => {
    const { port } = await startOwnRedis(test, { settings })
    const code = `
      import { createBackend } from '@ps/redis'
      const backend = createBackend({ url: process.env.URL })
      await backend.start({ message() {}, gap() {}, invalid() {}, state: (state) => console.log(state) })
      await backend.publish('c', '1')
      await backend.close()
    `
    const url = `redis://:needless@127.0.0.1:${port}`
    expect(await runExample(new URL('..', import.meta.url), code, { URL: url })).toEqual({
      code: 0,
      signal: null,
      stdout: 'ready\n',
      stderr: '',
    })
  },
)

it('a password that a server without AUTH repeats is shown nowhere', async (test) => {
  // The name of a setting may be written in any case, and so stand twice.
  const settings = { 'rename-command': ['HELLO', ''], 'RENAME-COMMAND': ['AUTH', ''] }
  const redis = await startOwnRedis(test, { settings })
  const observed = observe(test, `redis://:hunter2@127.0.0.1:${redis.port}`)
  await observed.start()
  expect(observed.cause?.message).toContain("unknown command 'AUTH'")
  expect(inspectDeep([observed.cause, observed.warnings])).not.toContain('hunter2')
})
