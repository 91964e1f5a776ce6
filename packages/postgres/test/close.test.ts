import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { startFaultProxy } from '@ps/services'
import { spawnProgram, uniqueName, waitFor, withDeadline } from '@ps/services/vitest'
import { expect, inject, onTestFinished, test } from 'vitest'
import { makeBackend, openBackend, openPeer, urlWith } from './opened-backend.js'

test('close sends what was published before, and is the same for a second call', async () => {
  const [publisher, listener] = await Promise.all([openBackend(), openBackend()])
  const channel = uniqueName('flush')
  await listener.backend.subscribe(channel)
  const sent = Array.from({ length: 2_000 }, (_, index) => String(index))
  const published = Promise.all(sent.map((payload) => publisher.backend.publish(channel, payload)))
  await Promise.all([publisher.backend.close(), publisher.backend.close()])
  await published
  expect(await listener.payloads(sent.length)).toEqual(sent)
})

test('once closed it refuses everything, and its sessions are gone', async () => {
  const peer = openPeer()
  const { backend, application, events } = await openBackend()
  await backend.close()
  await expect(backend.publish('c', '1')).rejects.toMatchObject({ code: 'closed' })
  await expect(backend.subscribe('c')).rejects.toMatchObject({ code: 'closed' })
  await expect(backend.ping()).rejects.toMatchObject({ code: 'closed' })
  expect(await peer`select 1 from pg_stat_activity where application_name = ${application}`).toHaveLength(0)
  expect(events).toEqual(['ready'])
})

test('what cannot be sent or confirmed any more is rejected within seconds', async () => {
  const proxy = await startFaultProxy({ port: Number(new URL(inject('postgresUrl')).port) })
  onTestFinished(() => proxy.close())
  const { backend } = await openBackend({ url: proxy.through(inject('postgresUrl')) })
  proxy.freeze()
  const channel = uniqueName('stuck')
  const outcomes = [backend.publish(channel, '1'), backend.subscribe(channel)].map((promise) =>
    promise.then(
      () => 'done',
      (error: unknown) => error,
    ),
  )
  await new Promise((resolve) => setImmediate(resolve))
  outcomes.push(backend.publish(channel, '2').catch((error: unknown) => error))
  await withDeadline(backend.close(), 4_000, 'close')
  expect(await Promise.all(outcomes)).toMatchObject([
    { code: 'outcome_unknown' },
    { code: 'closed' },
    { code: 'closed' },
  ])
})

test('it can be closed while it is starting, and before', async () => {
  const starting = makeBackend()
  const started = starting.start()
  await starting.backend.close()
  await expect(started).rejects.toMatchObject({ code: 'closed' })
  const fresh = makeBackend()
  await fresh.backend.close()
  await expect(fresh.start()).rejects.toMatchObject({ code: 'closed' })
})

test('it can be closed while it waits for a notification of its own that never comes', async () => {
  const peer = openPeer()
  const elsewhere = uniqueName('elsewhere')
  await peer`create database ${peer(elsewhere)} template template0`
  const { backend, start, application } = makeBackend({
    listenUrl: urlWith(inject('postgresUrl'), { pathname: `/${elsewhere}` }),
  })
  const outcome = start().catch(() => {})
  await waitFor(async () => {
    const notified = await peer`
      select 1 from pg_stat_activity where application_name = ${application} and state = 'idle' and query like 'NOTIFY%'
    `
    return notified.length > 0
  })
  await withDeadline(backend.close(), 3_000, 'close')
  await outcome
})

/** Runs a program with a backend, and expects it to end soon after it has said that it is done. */
const expectToEnd = async (url: string, use: string): Promise<void> => {
  const code = `
    import { createBackend } from '@ps/postgres'
    const backend = createBackend({ url: process.env.DATABASE_URL })
    const started = backend.start({ message() {}, gap() {}, state() {}, invalid() {} })
    ${use}
    console.log('done')
  `
  const program = spawnProgram('--input-type=module', ['--eval', code], {
    environment: { DATABASE_URL: url },
    workingDirectory: fileURLToPath(new URL('..', import.meta.url)),
  })
  onTestFinished(() => void program.process.kill('SIGKILL'))
  await program.waitForOutput(/done/)
  expect(await withDeadline(program.exited, 3_000, 'the program to end')).toEqual({ code: 0, signal: null })
}

test('a program whose backend was closed ends by itself', async () => {
  await expectToEnd(
    inject('postgresUrl'),
    "await started; await backend.subscribe('c'); await backend.publish('c', '1'); await backend.close()",
  )
})

test('a program whose backend could not start ends by itself', async () => {
  const url = urlWith(inject('postgresUrl'), { password: 'wrong' })
  await expectToEnd(
    url,
    "await started.catch((error) => { if (error.code !== 'authentication') throw error })",
  )
})

test('a program whose backend was closed while the server hung up on it ends by itself', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).end())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  await expectToEnd(`postgres://user@127.0.0.1:${port}/x`, 'await started; await backend.close()')
})
