import { freePort, type RedisNode } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { createBackend } from '../../src/index.js'
import { readSentinelUrl } from '../../src/sentinel-url.js'
import { inspectDeep, observe, startOwnRedis, startReady } from '../observed-backend.js'
import { startOwnSentinel } from './own-sentinel.js'

it('the master is found and used, with one password for servers and another for sentinels', async (test) => {
  const sentinel = await startOwnSentinel(test, { password: 'secret', sentinelPassword: 'o&her%' })
  const observed = await startReady(test, sentinel.url)
  await observed.backend.subscribe('c')
  await observed.backend.publish('c', '1')
  await waitFor(() => observed.payloads('c').length === 1)
  expect(String(await sentinel.servers[0]?.command('CLIENT', 'LIST'))).toContain('@ps/redis:publish')
  expect(String(await sentinel.servers[1]?.command('CLIENT', 'LIST'))).not.toContain('@ps/redis')
  expect(observed.events).toEqual([])
})

it.for([
  ['servers', /:secret@/, ':wrong-one@'],
  ['sentinels', /sentinelPassword=other/, 'sentinelPassword=wrong-one'],
] as const)(
  'a wrong password of the %s is refused at the start, and shown nowhere',
  async ([, right, wrong], test) => {
    const sentinel = await startOwnSentinel(test, {
      password: 'secret',
      sentinelPassword: 'other',
      replicas: 0,
    })
    const { start, warnings } = observe(test, sentinel.url.replace(right, wrong))
    const error = await start().catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'authentication' })
    expect(inspectDeep([error, warnings])).not.toContain('wrong-one')
  },
)

it('users with no rights but those that are documented are enough', async (test) => {
  const sentinel = await startOwnSentinel(test, { replicas: 0 })
  const allow = (of: readonly RedisNode[], ...rights: string[]) =>
    Promise.all(of.map((node) => node.command('ACL', 'SETUSER', 'limited', 'on', '>secret', ...rights)))
  await allow(sentinel.servers, 'allchannels', '+publish', '+subscribe', '+unsubscribe', '+role')
  await allow(sentinel.sentinels, '+sentinel|get-master-addr-by-name')
  const observed = await startReady(test, sentinel.url.replace('//', '//limited:secret@'))
  await observed.backend.subscribe('c')
  await observed.backend.publish('c', '1')
  await waitFor(() => observed.payloads('c').length === 1)
})

it('a master that no sentinel knows is refused at the start, with the names that they know', async (test) => {
  const sentinel = await startOwnSentinel(test, { replicas: 0 })
  const { start } = observe(test, sentinel.url.replace('/main', '/other'))
  await expect(start()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringMatching(/knows no master "other" \(it knows "main"\); end the URL with \/name/),
  })
})

it('a server that is no sentinel is refused at the start, with what to write instead', async (test) => {
  const server = await startOwnRedis(test)
  const { start } = observe(test, `redis+sentinel://127.0.0.1:${server.port}/main`)
  await expect(start()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('is no sentinel; the URL of a server begins with redis://'),
  })
})

it('one sentinel of those that are named is enough', async (test) => {
  const sentinel = await startOwnSentinel(test, { replicas: 0 })
  const [port] = sentinel.sentinels.map((one) => one.port)
  await startReady(test, `redis+sentinel://127.0.0.1:${await freePort()},127.0.0.1:${port}/main`)
})

it('sentinels that are away at the start are waited for', async (test) => {
  const sentinel = await startOwnSentinel(test, { replicas: 0 })
  for (const one of sentinel.sentinels) await one.halt()
  const observed = observe(test, sentinel.url)
  await observed.start()
  expect(observed.state).toBe('down')
  expect(observed.cause?.message).toMatch(/no sentinel can be asked: .*ECONNREFUSED/)
  await sentinel.sentinels[1]?.restart()
  await waitFor(() => observed.state === 'ready')
  expect(observed.events).toEqual(['down', 'ready'])
})

it('a replica that the sentinels take for the master is not used', async (test) => {
  const sentinel = await startOwnSentinel(test)
  const [master, replica] = sentinel.servers
  for (const one of sentinel.sentinels) await one.halt()
  await master?.command('REPLICAOF', '127.0.0.1', replica?.port ?? 0)
  await sentinel.sentinels[0]?.restart()
  const observed = observe(test, sentinel.url)
  await observed.start()
  expect(observed.state).toBe('down')
  expect(observed.cause?.message).toContain('it is no master but a slave')
})

it('user and password are those of the sentinels too, where the URL names no others', () => {
  const read = (parameters: string) => readSentinelUrl(`redis+sentinel://u:p@a,b:1/n%20n${parameters}`)
  const { sentinels, master, name } = read('')
  expect(name).toBe('n n')
  expect(master).toMatchObject({ username: 'u', password: 'p' })
  expect(sentinels).toMatchObject([
    { host: 'a', port: 26_379, username: 'u', password: 'p' },
    { host: 'b', port: 1, username: 'u', password: 'p' },
  ])
  const sentinelOf = (parameters: string) => read(parameters).sentinels[1]
  expect(sentinelOf('?sentinelPassword=q%26')).toMatchObject({ username: '', password: 'q&' })
  expect(sentinelOf('?sentinelUsername=v&sentinelPassword=q')).toMatchObject({ username: 'v', password: 'q' })
  expect(sentinelOf('?sentinelPassword=')).toMatchObject({ username: '', password: '' })
})

it.for([
  ['redis+sentinel://:secret@a', 'it names no master'],
  ['redis+sentinel://:secret@a/', 'it names no master'],
  ['redis+sentinel://:secret@a/main/0', 'has a / in it'],
  ['redis+sentinel://:secret@a/main%', 'holds a %'],
  ['redis+sentinel://:sec/ret@a/main', 'it is not of the form redis+sentinel://'],
  ['redis+sentinel://a/main?sentinelPassword=sec&ret', 'percent-encoded'],
  ['redis+sentinel://a/main?sentinelPassword=sec#ret', 'it is not of the form redis+sentinel://'],
] as const)('%s is refused with what is wrong, and shows no password', async ([url, reason]) => {
  const backend = createBackend({ url })
  const error = await backend
    .start({ message() {}, gap() {}, state() {}, invalid() {} })
    .catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'configuration' })
  expect(String(error)).toContain(reason)
  expect(String(error)).not.toMatch(/secret|sec\b|\bret\b/)
  await backend.close()
})
