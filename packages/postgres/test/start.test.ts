import { inspect } from 'node:util'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { expect, inject, onTestFinished, test } from 'vitest'
import { makeBackend, urlWith } from './opened-backend.js'

const failure = async (url: string): Promise<unknown> => {
  const { start, events } = makeBackend({ url })
  const error: unknown = await start().then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(events).toEqual([])
  return error
}

test('a wrong password is refused at the start, and is not in the error', async () => {
  const error = await failure(urlWith(inject('postgresUrl'), { password: 'hunter2-wrong' }))
  expect(error).toMatchObject({
    code: 'authentication',
    backend: 'postgres',
    message: expect.stringMatching(
      /127\.0\.0\.1:\d+ refused the user "postgres".*check the user and the password/,
    ),
  })
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2')
})

test('a user that does not exist is refused at the start', async () => {
  expect(await failure(urlWith(inject('postgresUrl'), { username: 'nobody-here' }))).toMatchObject({
    code: 'authentication',
  })
})

test('a database that does not exist is an error of the configuration', async () => {
  expect(await failure(urlWith(inject('postgresUrl'), { pathname: '/no-such-database' }))).toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('database "no-such-database" does not exist'),
  })
})

test('a setting that the server does not know is an error of the configuration', async () => {
  expect(await failure(`${inject('postgresUrl')}?options=-c%20no_such_setting%3D1`)).toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('no_such_setting'),
  })
})

test('an unusable URL is an error of the configuration that does not show the password', async () => {
  for (const url of [
    'mysql://user:hunter2@localhost/x',
    'postgres://user:hunter2/slash@localhost/x',
    'postgres://user:hunter2#hash@localhost/x',
    'postgres://user:hunter2%@localhost/x',
    'postgres://user:hunter2@localhost/x?sslmode=yes',
  ]) {
    const error = await failure(url)
    expect(error).toMatchObject({ code: 'configuration', backend: 'postgres' })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2')
  }
})

test('a host that no name server knows is waited for', async () => {
  const { start, events, causes } = makeBackend({ url: 'postgres://user@no-such-host.invalid/x' })
  await start()
  expect(events).toEqual(['down'])
  expect(causes[0]).toMatchObject({ code: 'unavailable' })
})

test.each([
  ['says nothing', () => {}],
  ['hangs up at once', (socket: Socket) => socket.end()],
  ['hangs up when it is spoken to', (socket: Socket) => socket.once('data', () => socket.end())],
  ['resets the connection', (socket: Socket) => socket.resetAndDestroy()],
])('a server that takes connections and %s is waited for, with TLS and without', async (_, serve) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    serve(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const modes = ['disable', 'allow', 'prefer', 'require']
  const backends = modes.map((mode) =>
    makeBackend({ url: `postgres://user@127.0.0.1:${port}/x?sslmode=${mode}` }),
  )
  await Promise.all(backends.map(({ start }) => start()))
  for (const { events, causes } of backends) {
    expect(events[0]).toBe('down')
    expect(causes[0]).toMatchObject({ code: 'unavailable' })
  }
})

test('of several hosts the first that can be reached is taken', async () => {
  const { host } = new URL(inject('postgresUrl'))
  const { start, events, backend } = makeBackend({
    url: inject('postgresUrl').replace(host, `127.0.0.1:1,${host}`),
  })
  await start()
  expect(events).toEqual(['ready'])
  await backend.ping()
})
