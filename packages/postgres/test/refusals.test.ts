import { startPostgres } from '@ps/services'
import { uniqueName } from '@ps/services/vitest'
import { expect, inject, onTestFinished, test } from 'vitest'
import { makeBackend, openBackend, openPeer, urlWith } from './opened-backend.js'

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
