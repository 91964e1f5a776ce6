import { type PgBouncer, type PostgresServer, startPostgres } from '@ps/services'
import { requirePgBouncer, waitFor } from '@ps/services/vitest'
import postgres from 'postgres'
import { expect, onTestFinished, test, type TestContext } from 'vitest'
import { expectFewLines, expectWhole, load, watchClient } from './watched-client.js'

async function startPooled(
  context: TestContext,
  settings: Record<string, number> = {},
): Promise<{ bouncer: PgBouncer; server: PostgresServer; direct: string }> {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const bouncer = await requirePgBouncer(context, { target: server.url, settings })
  return { bouncer, server, direct: server.url }
}

test('a pooler in transaction mode, which takes LISTEN and delivers nothing, is found out at the start, and the remedy named', async (context) => {
  const { bouncer } = await startPooled(context)
  const watched = await watchClient({ databaseUrl: bouncer.url, publishTimeout: 1_000 })
  expect((await watched.client.health()).backends[0]).toMatchObject({
    state: 'down',
    reason: expect.stringMatching(/not heard within 3 s.*pooler.*set PUBSUB_LISTEN_URL/),
  })
  expect(watched.lines).toEqual([expect.stringContaining('PUBSUB_LISTEN_URL')])
  // Nothing may be said to be accepted that no listener of this client could hear.
  expect(await watched.client.publish('any', 1)).toBe(false)
  // It goes on trying, and does not write the same again.
  const attempts = (): number => bouncer.log().split('login attempt').length - 1
  await waitFor(() => attempts() >= 6, { timeout: 20_000, what: 'the third attempt' })
  expect(watched.lines.filter((line) => /trying to reconnect/.test(line))).toHaveLength(1)
  expectFewLines(watched, 2, bouncer.url)
})

test('with PUBSUB_LISTEN_URL past the pooler it works, and prepares no statement', async (context) => {
  // All who come through it share one session.
  const { bouncer, direct } = await startPooled(context, { default_pool_size: 1 })
  const watched = await watchClient({ databaseUrl: bouncer.url, listenUrl: direct })
  const heard = await watched.hear()
  const running = load(watched, heard)
  await running.more(500)
  const pooled = postgres(bouncer.url, { max: 1, fetch_types: false })
  onTestFinished(() => pooled.end())
  const prepared = await pooled.unsafe('select statement from pg_prepared_statements').simple()
  expect([...prepared]).toEqual([])
  await expectWhole(watched, heard, running)
  expect({ gaps: heard.gaps(), refused: running.refused(), states: watched.states }).toEqual({
    gaps: 0,
    refused: 0,
    states: [],
  })
  expectFewLines(watched, 0, bouncer.url)
})

test('health that is asked for under load through a pooler interrupts nothing', async (context) => {
  const { bouncer, direct } = await startPooled(context)
  const watched = await watchClient({ databaseUrl: bouncer.url, listenUrl: direct })
  const heard = await watched.hear()
  const running = load(watched, heard)
  for (let time = 1; time <= 50; time += 1) {
    await running.more(20)
    expect((await watched.client.health()).state).toBe('ready')
  }
  await expectWhole(watched, heard, running)
  expect({ gaps: heard.gaps(), refused: running.refused(), states: watched.states }).toEqual({
    gaps: 0,
    refused: 0,
    states: [],
  })
  expectFewLines(watched, 0, bouncer.url)
})

test('a pooler that is killed and started again under load interrupts publishing and is no gap', async (context) => {
  const { bouncer, direct } = await startPooled(context)
  const watched = await watchClient({ databaseUrl: bouncer.url, listenUrl: direct })
  const heard = await watched.hear()
  const running = load(watched, heard)
  for (let time = 1; time <= 3; time += 1) {
    await running.more(200)
    bouncer.kill('SIGKILL')
    await watched.downs(time)
    await bouncer.restart()
    await watched.ready()
  }
  await running.more(200)
  await expectWhole(watched, heard, running)
  expect(heard.gaps()).toBe(0)
  expectFewLines(watched, 24, bouncer.url)
})

test('a server that goes away behind its pooler and comes back is taken again, with one gap', async (context) => {
  // It waits 15 s by itself.
  const { bouncer, server, direct } = await startPooled(context, { server_login_retry: 1 })
  const watched = await watchClient({ databaseUrl: bouncer.url, listenUrl: direct })
  const heard = await watched.hear()
  const running = load(watched, heard)
  await running.more(200)
  server.kill('SIGKILL')
  await watched.downs(1)
  await server.restart()
  await watched.ready()
  await running.more(200)
  await expectWhole(watched, heard, running)
  expect(heard.gaps()).toBe(1)
  expectFewLines(watched, 12, bouncer.url)
})
