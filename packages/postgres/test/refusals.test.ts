import { startPostgres } from '@ps/services'
import { uniqueName, waitFor } from '@ps/services/vitest'
import { expect, inject, onTestFinished, test } from 'vitest'
import { makeBackend, openBackend, openPeer, urlWith } from './opened-backend.js'
import { hear, openClient } from './opened-client.js'

test('a user who may not call pg_notify may listen, and is told that publishing is not permitted', async () => {
  const database = uniqueName('privileges').replaceAll('-', '_')
  await openPeer().unsafe(`create database ${database}`)
  const url = urlWith(inject('postgresUrl'), { pathname: `/${database}` })
  const admin = openPeer(url)
  await admin.unsafe(`create role ${database} login password 'reader'`)
  await admin`revoke execute on function pg_notify from public`
  const { backend, payloads } = await openBackend({
    url: urlWith(url, { username: database, password: 'reader' }),
  })
  await backend.subscribe('c')
  const outcomes = await Promise.allSettled(['1', '2', '3'].map((payload) => backend.publish('c', payload)))
  expect(outcomes).toMatchObject(
    ['1', '2', '3'].map(() => ({ status: 'rejected', reason: { code: 'not_permitted', channel: 'c' } })),
  )
  await admin`select pg_notify('c', '"from the admin"')`
  expect(await payloads(1)).toEqual(['"from the admin"'])
})

test('while another transaction that notifies does not end its commit, messages are refused, and no session is left behind', async () => {
  const server = await startPostgres({
    settings: { synchronous_standby_names: 'nobody', synchronous_commit: 'local' },
  })
  onTestFinished(() => server.stop())
  const [app, admin] = [openPeer(server.url), openPeer(server.url)]
  await app`create table orders (id int)`
  const { backend, events, payloads, application } = await openBackend({ url: server.url })
  await backend.subscribe('c')
  const sessions = () =>
    admin<
      { pid: number }[]
    >`select pid from pg_stat_activity where application_name = ${application} order by pid`
  const before = await sessions()

  await app`set synchronous_commit = on`
  const held = app.begin(async (tx) => {
    await tx`insert into orders values (1)`
    await tx`select pg_notify('c', '1')`
  })
  await waitFor(async () => {
    const waiting = await admin<
      { pid: number }[]
    >`select pid from pg_stat_activity where wait_event = 'SyncRep'`
    return waiting.length > 0
  })
  const refused = ['2', '3'].map((payload) => backend.publish('c', payload))
  await new Promise((resolve) => setImmediate(resolve))
  // It waits until the others have left, and must not overtake them.
  refused.push(backend.publish('c', '4'))
  for (const outcome of await Promise.allSettled(refused))
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'not_sent', message: expect.stringMatching(/does not end its commit/) },
    })
  // One that starts now is down, says why, and comes up by itself.
  const late = makeBackend({ url: server.url })
  await late.start()
  expect(late.causes[0]?.message).toMatch(/does not end its commit/)
  expect(await sessions()).toEqual(before)

  await admin`select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`
  await held
  await late.ready()
  await backend.publish('c', '5')
  expect(await payloads(2)).toEqual(['1', '5'])
  expect(events).toEqual(['ready'])
  expect(await sessions()).toEqual(before)
})

test.each([
  ['of 4,085 bytes, of which a page holds one', ['x'.repeat(4_080)]],
  ['of 2,800 bytes, of which a page holds two', ['x'.repeat(2_790)]],
  ['in characters of several bytes', ['語'.repeat(2_600)]],
  ['large and small by turns', ['x'.repeat(7_900), 'x'.repeat(300)]],
])(
  'what is published at once arrives through the smallest queue, in order: messages %s',
  async (_, texts) => {
    const server = await startPostgres({ settings: { max_notify_queue_pages: 64 } })
    onTestFinished(() => server.stop())
    const client = await openClient({ databaseUrl: server.url, publishTimeout: 20_000 })
    const heard = await hear(client, 'c')
    const sent = Array.from({ length: 190 }, (_, index) => `${index} ${texts[index % texts.length] ?? ''}`)
    const accepted = await Promise.all(sent.map((message) => client.publish('c', message)))
    expect(accepted.filter((ok) => !ok)).toHaveLength(0)
    const numbers = (messages: readonly unknown[]): string[] =>
      messages.map((message) => String(message).slice(0, 4).trimEnd())
    expect(numbers(await heard.settled())).toEqual(numbers(sent))
  },
)

test('a full notification queue rejects with not_sent, and is used again when it has room', async () => {
  const server = await startPostgres({ settings: { max_notify_queue_pages: 64 } })
  onTestFinished(() => server.stop())
  const { backend } = await openBackend({ url: server.url })
  const lazy = openPeer(server.url)
  await lazy.unsafe('listen something')
  await lazy.unsafe('begin')
  // Each takes a page of the queue, and the lazy session is in no state to read them.
  const outcomes = await Promise.allSettled(
    Array.from({ length: 100 }, (_, index) =>
      backend.publish('c', JSON.stringify(`${index}`.padEnd(7_000, 'x'))),
    ),
  )
  const rejected = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(rejected.length).toBeGreaterThan(30)
  for (const { reason } of rejected) expect(reason).toMatchObject({ code: 'not_sent' })
  // Another that starts now finds the queue full.
  const { start, causes, ready } = makeBackend({ url: server.url })
  await start()
  expect(causes[0]).toMatchObject({ code: 'unavailable', message: expect.stringContaining('NOTIFY queue') })
  await lazy.unsafe('rollback')
  await ready()
  await expect
    .poll(() =>
      backend.publish('c', '1').then(
        () => 'sent',
        () => 'refused',
      ),
    )
    .toBe('sent')
})
