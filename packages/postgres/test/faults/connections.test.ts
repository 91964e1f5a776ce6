import { startPostgres } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { expect, onTestFinished, test } from 'vitest'
import { killSessions, openPeer, urlWith } from '../opened-backend.js'
import { asWorker, expectFewLines, expectWhole, load, watchClient } from './watched-client.js'

async function startWithWorker(settings: Record<string, string | number>) {
  const server = await startPostgres({ settings })
  onTestFinished(() => server.stop())
  const admin = openPeer(server.url)
  await admin`create role worker login password 'hunter2'`
  return { server, admin, url: asWorker(server.url) }
}

/** Takes every connection that an ordinary user may have. Returns how to give them back. */
async function exhaust(url: string): Promise<() => Promise<void>> {
  const taken: { end(): Promise<void> }[] = []
  for (;;) {
    const session = openPeer(url)
    try {
      await session`select 1`
    } catch (error) {
      expect(error).toMatchObject({ code: '53300' })
      return async () => void (await Promise.all(taken.map((one) => one.end())))
    }
    taken.push(session)
  }
}

test('a server without a free connection at the start is waited for, named, and taken when one is free', async () => {
  const { url } = await startWithWorker({ max_connections: 10 })
  const free = await exhaust(url)
  const watched = await watchClient({ databaseUrl: url })
  expect((await watched.client.health()).backends[0]).toMatchObject({
    state: 'down',
    reason: expect.stringMatching(/(slots are reserved|too many clients).*max_connections/),
  })
  expect(await watched.client.publish('any', 1)).toBe(false)
  await free()
  await watched.ready()
  const heard = await watched.hear()
  const running = load(watched, heard)
  await running.more(100)
  await expectWhole(watched, heard, running)
  expect(heard.gaps()).toBe(0)
  expectFewLines(watched, 6, url)
})

test('a client that is killed while others take its connections comes back when they leave, with one gap', async () => {
  const { server, url, admin } = await startWithWorker({ max_connections: 10 })
  await admin`create role other login password 'other'`
  const watched = await watchClient({ databaseUrl: url })
  const [heard, other] = [await watched.hear(), await watched.hear()]
  const running = load(watched, heard)
  await running.more(100)
  // Else the client would be quicker than those who take what it leaves.
  await admin`alter role worker connection limit 0`
  expect(await killSessions(admin, watched.application)).toBe(2)
  await waitFor(() => watched.lines.some((line) => /too many connections for role/.test(line)))
  const free = await exhaust(urlWith(server.url, { username: 'other', password: 'other' }))
  await admin`alter role worker connection limit -1`
  await waitFor(() =>
    watched.lines.some((line) => /(slots are reserved|too many clients).*max_connections/.test(line)),
  )
  await waitFor(() => running.refused() > 0)
  await free()
  await watched.ready()
  await running.more(100)
  await expectWhole(watched, heard, running)
  expect([heard.gaps(), other.gaps()]).toEqual([1, 1])
  expectFewLines(watched, 12, url)
})

test('a server that ends idle sessions after a second does not end those of the client', async () => {
  const { url, admin } = await startWithWorker({ idle_session_timeout: '1s' })
  const watched = await watchClient({ databaseUrl: url })
  const heard = await watched.hear()
  // Sessions that keep to the rule show that the time has come, and come again.
  for (let time = 1; time <= 3; time += 1) {
    const idle = openPeer(url)
    const [row] = await idle<{ id: number }[]>`select pg_backend_pid() as id`
    await waitFor(async () => {
      const found = await admin`select from pg_stat_activity where pid = ${row?.id ?? 0}`
      return found.length === 0
    })
  }
  const running = load(watched, heard)
  await running.more(100)
  await expectWhole(watched, heard, running)
  expect({ gaps: heard.gaps(), states: watched.states }).toEqual({ gaps: 0, states: [] })
  expectFewLines(watched, 0, url)
})

test('a password that is changed under a running client is tried on, said, and taken when it is right again', async () => {
  const { url, admin } = await startWithWorker({})
  const watched = await watchClient({ databaseUrl: url })
  const heard = await watched.hear()
  const running = load(watched, heard)
  await running.more(100)
  await admin`alter role worker password 'another'`
  await killSessions(admin, watched.application)
  await waitFor(() => watched.lines.some((line) => /check the user and the password of the URL/.test(line)))
  await waitFor(() => running.refused() > 0)
  expect((await watched.client.health()).backends[0]).toMatchObject({
    state: 'down',
    reason: expect.stringContaining('refused the user "worker"'),
  })
  await admin`alter role worker password 'hunter2'`
  await watched.ready()
  await running.more(100)
  await expectWhole(watched, heard, running)
  expect(heard.gaps()).toBe(1)
  expectFewLines(watched, 12, url)
  expectFewLines(watched, 12, urlWith(url, { password: 'another' }))
})
