import { startPostgres } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { expect, onTestFinished, test } from 'vitest'
import { expectFewLines, expectWhole, load, watchClient } from './watched-client.js'

test('a hot standby at the start is refused by name, and taken once it is the primary', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  await server.demote()
  const watched = await watchClient({ databaseUrl: server.url })
  expect((await watched.client.health()).backends[0]).toMatchObject({
    state: 'down',
    reason: expect.stringMatching(/hot standby.*connect to the primary/),
  })
  expect(await watched.client.publish('any', 1)).toBe(false)
  await server.promote()
  await watched.ready()
  const heard = await watched.hear()
  const running = load(watched, heard)
  await running.more(100)
  await expectWhole(watched, heard, running)
  expect(heard.gaps()).toBe(0)
  expectFewLines(watched, 4, server.url)
})

test('a server that is away and comes back as a hot standby is named as one in the log, though nobody publishes', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  await server.halt()
  const watched = await watchClient({ databaseUrl: server.url })
  expect(watched.lines).toEqual([expect.stringContaining('ECONNREFUSED')])
  await server.demote()
  await waitFor(() => watched.lines.some((line) => /hot standby.*connect to the primary/.test(line)))
  await server.promote()
  await watched.ready()
  expectFewLines(watched, 4, server.url)
})

test('a primary that becomes a standby under load is noticed, and used again once promoted, with one gap', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const watched = await watchClient({ databaseUrl: server.url })
  const [heard, other] = [await watched.hear(), await watched.hear()]
  const running = load(watched, heard)
  await running.more(100)
  await server.demote()
  await waitFor(() => watched.lines.some((line) => /hot standby/.test(line)))
  await server.promote()
  await watched.ready()
  await running.more(100)
  await expectWhole(watched, heard, running)
  expect([heard.gaps(), other.gaps()]).toEqual([1, 1])
  expectFewLines(watched, 12, server.url)
})
