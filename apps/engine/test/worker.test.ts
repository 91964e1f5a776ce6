import { lookup } from 'node:dns/promises'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { freePort, startPostgres } from '@ps/services'
import { type Program, spawnProgram, uniqueName, waitFor } from '@ps/services/vitest'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type StandInApi, startStandInApi } from './stand-in-api.js'

const file = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const table = (rows: number): Buffer =>
  Buffer.from(`a,b\n${Array.from({ length: rows }, (_, index) => `${index},x`).join('\n')}\n`)

let api: StandInApi
let prefix: string
const engines: Program[] = []

beforeEach(async () => {
  prefix = uniqueName('test:')
  api = await startStandInApi(inject('postgresUrl'), prefix)
})
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop('SIGKILL')))
  await api.close()
})

async function startEngine(
  environment: Record<string, string> = {},
): Promise<{ id: string; program: Program }> {
  const id = uniqueName('engine')
  const program = spawnProgram(file, [], {
    environment: {
      DATABASE_URL: inject('postgresUrl'),
      PUBSUB_PREFIX: prefix,
      ENGINE_ID: id,
      ...environment,
    },
  })
  engines.push(program)
  await program.waitForOutput(/ready for jobs/)
  return { id, program }
}

describe('an engine', () => {
  it('announces itself, takes a job, tells how far it is, and publishes the result', async () => {
    const { id } = await startEngine()
    await waitFor(() => api.announcements.some(({ engine, capacity }) => engine === id && capacity === 2))
    const job = api.assignment({ bytes: table(1_000) })
    await api.hand(id, job)
    const ended = await api.untilEnded(job.id)
    expect(ended).toMatchObject({
      state: 'done',
      rows: 1_000,
      rejected: 0,
      engine: id,
      bytes: job.source.size,
    })
    expect(ended.result?.columns.map(({ name, type, count }) => [name, type, count])).toEqual([
      ['a', 'integer', 1_000],
      ['b', 'string', 1_000],
    ])
    const states = api.jobs.filter((seen) => seen.id === job.id).map(({ state }) => state)
    expect(states[0]).toBe('queued')
    expect(states).toContain('running')
    expect(JSON.stringify(api.jobs)).not.toContain('http://')
  })

  it('says which backend it uses and why in one line of its log', async () => {
    const { program } = await startEngine()
    expect(program.stdout().match(/backend postgres \(the default\), no fallback/g)).toHaveLength(1)
  })

  it('runs a job once, however often it is told to start', async () => {
    const { id } = await startEngine()
    const job = api.assignment({ bytes: table(10) })
    await api.hand(id, job)
    for (let repeat = 0; repeat < 3; repeat += 1) await api.tell(id, { type: 'start', id: job.id })
    await api.untilEnded(job.id)
    expect(api.requests.filter((line) => line.startsWith('GET'))).toHaveLength(1)
  })

  it('runs as many jobs at once as it may, and the next when one has ended', async () => {
    const { id } = await startEngine({ ENGINE_CONCURRENCY: '2' })
    const stalled = [0, 1].map(() => api.assignment({ bytes: table(10_000), stallAfter: 1_000 }))
    const waiting = api.assignment({ bytes: table(10) })
    for (const job of [...stalled, waiting]) await api.hand(id, job)
    for (const job of stalled) await api.untilState(job.id, 'running')
    await api.untilState(waiting.id, 'queued')
    await waitFor(() =>
      api.announcements.some((seen) => seen.engine === id && seen.running === 2 && seen.queued === 1),
    )
    expect(api.jobs.filter((job) => job.id === waiting.id).map(({ state }) => state)).toEqual(['queued'])
    await api.tell(id, { type: 'cancel', id: stalled[0]?.id ?? '' })
    expect(await api.untilEnded(stalled[0]?.id ?? '')).toMatchObject({ state: 'cancelled' })
    expect(await api.untilEnded(waiting.id)).toMatchObject({ state: 'done' })
  })

  it('goes on where it stopped when the connection to the input breaks', async () => {
    const { id } = await startEngine()
    const job = api.assignment({ bytes: table(100_000), breakAfter: 100_000 })
    await api.hand(id, job)
    expect(await api.untilEnded(job.id)).toMatchObject({ state: 'done', rows: 100_000 })
    expect(api.requests.filter((line) => line.startsWith('GET inputs bytes='))).toHaveLength(1)
  })

  it.each([
    ['another version of it', { etag: '"2"' }, /it has changed meanwhile/],
    ['another place of it', { from: 0 }, /cannot go on where it stopped/],
  ])('takes %s for no continuation of the input', async (_, continues, words) => {
    const { id } = await startEngine()
    const job = api.assignment({ bytes: table(100_000), breakAfter: 100_000, continues })
    await api.hand(id, job)
    const ended = await api.untilEnded(job.id)
    expect(ended).toMatchObject({ state: 'failed', error: expect.stringMatching(words) as string })
  })

  it('tells no length that is no number of bytes', async () => {
    const { id } = await startEngine()
    const job = api.assignment({ bytes: table(10_000), stallAfter: 1_000, length: '9007199254740993' })
    const { size: _, ...source } = job.source
    await api.hand(id, { ...job, source })
    await waitFor(() => api.jobs.some((seen) => seen.id === job.id && seen.bytes > 0))
    expect(api.jobs.flatMap(({ totalBytes }) => totalBytes ?? [])).toEqual([])
  })

  it('goes on without a file of rejected rows where there can be none, and says why', async () => {
    const { id, program } = await startEngine({ ENGINE_DATA_DIR: `${file}/data` })
    const job = api.assignment({ bytes: Buffer.from('a,b\n1,2\nonly one field\n') })
    await api.hand(id, job)
    expect(await api.untilEnded(job.id)).toMatchObject({ state: 'done', rows: 1, rejected: 1 })
    await program.waitForOutput(/"err":\{[^\n]*ENOTDIR[^\n]*the rejected rows could not be sent/)
  })

  it('takes no job whose id could name a file elsewhere', async () => {
    const { id } = await startEngine()
    const input = { bytes: table(1) }
    for (const wrong of ['../elsewhere', 'a/b', '', 'a\0b']) {
      expect(await api.offer(id, api.assignment(input, { id: wrong }))).toMatchObject({ type: 'refused' })
    }
    const job = api.assignment(input)
    await api.hand(id, job)
    expect(await api.untilEnded(job.id)).toMatchObject({ state: 'done' })
  })

  it('sends all rejected rows, and the first ones with the result', async () => {
    const { id } = await startEngine()
    const rows = Array.from({ length: 1_500 }, () => 'only one field').join('\n')
    const job = api.assignment({ bytes: Buffer.from(`a,b\n1,2\n${rows}\n`) })
    await api.hand(id, job)
    const ended = await api.untilEnded(job.id)
    expect(ended).toMatchObject({ state: 'done', rows: 1, rejected: 1_500 })
    expect(ended.result?.rejects).toHaveLength(1_000)
    const lines = (api.rejects.get(job.id) ?? '').trim().split('\n')
    expect(lines).toHaveLength(1_500)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      line: 3,
      reason: expect.stringContaining('1 field') as string,
    })
  })

  it('fails a job whose input cannot be used, with words for people', async () => {
    const { id } = await startEngine()
    const png = api.assignment({ bytes: Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex') })
    const gone = api.assignment({ bytes: Buffer.alloc(0), status: 404 })
    const odd = api.assignment({ bytes: table(1) }, { kind: 'bake' })
    const lost = api.assignment({ bytes: Buffer.alloc(0), redirect: 'http://[nowhere' })
    for (const job of [png, gone, odd, lost]) await api.hand(id, job)
    expect(await api.untilEnded(png.id)).toMatchObject({ state: 'failed' })
    expect((await api.untilEnded(gone.id)).error).toContain('answered 404')
    expect((await api.untilEnded(odd.id)).error).toContain('"bake"')
    expect((await api.untilEnded(lost.id)).error).toContain('redirects to what is no address')
  })

  it('reads no address that a user named and that is not public, not even by way of a redirect', async () => {
    const allowed = api.assignment({ bytes: table(1), redirect: 'http://127.0.0.1:1/secret' })
    const host = new URL(allowed.source.url).host
    const { id } = await startEngine({ JOB_SOURCE_ALLOW: host })
    const foreign = (url: string) =>
      api.assignment({ bytes: table(1) }, { source: { type: 'url', format: 'csv', url } })
    const loopback = foreign('http://127.0.0.1:1/x')
    const byName = foreign('http://localhost:1/x')
    const redirected = foreign(allowed.source.url)
    for (const job of [loopback, byName, redirected]) {
      await api.hand(id, job)
      const ended = await api.untilEnded(job.id)
      expect(ended.state).toBe('failed')
      expect(ended.error).toMatch(/127\.0\.0\.1 is not a public address|localhost is this machine/)
    }
    const served = api.assignment({ bytes: table(3) })
    const fine = { ...served, source: { ...served.source, type: 'url' as const } }
    await api.hand(id, fine)
    expect(await api.untilEnded(fine.id)).toMatchObject({ state: 'done', rows: 3 })
  })

  it('reads no name that stands at a private address, not by way of a redirect, and not over a connection that it still has', async ({
    skip,
  }) => {
    const addresses = await lookup(hostname(), { all: true }).catch(() => [])
    if (!addresses.some(({ address }) => address === '127.0.0.1')) {
      skip('the name of this machine does not lead to it')
    }
    const served = api.assignment({ bytes: table(3) })
    const named = new URL(served.source.url)
    named.hostname = hostname()
    const redirecting = api.assignment({ bytes: table(1), redirect: named.href })
    const { id } = await startEngine({ JOB_SOURCE_ALLOW: new URL(redirecting.source.url).host })
    // An upload is read from wherever the api is: what is left of that must not serve whoever names the same place.
    const upload = { ...served, source: { ...served.source, url: named.href } }
    await api.hand(id, upload)
    expect(await api.untilEnded(upload.id)).toMatchObject({ state: 'done', rows: 3 })
    const direct = api.assignment(
      { bytes: table(1) },
      { source: { type: 'url', format: 'csv', url: named.href } },
    )
    const redirected = { ...redirecting, source: { ...redirecting.source, type: 'url' as const } }
    for (const job of [direct, redirected]) {
      await api.hand(id, job)
      const ended = await api.untilEnded(job.id)
      expect([ended.state, ended.error]).toEqual([
        'failed',
        expect.stringContaining(`${hostname()} is not at a public address`),
      ])
    }
  })

  it('tells every job that it has or remembers when it is asked to report', async () => {
    const { id } = await startEngine()
    const done = api.assignment({ bytes: table(1) })
    const running = api.assignment({ bytes: table(10_000), stallAfter: 1_000 })
    for (const job of [done, running]) await api.hand(id, job)
    await api.untilEnded(done.id)
    await api.untilState(running.id, 'running')
    const before = api.jobs.length
    await api.askForReports()
    await waitFor(() => {
      const told = api.jobs.slice(before)
      return told.some((job) => job.id === done.id && job.result) && told.some((job) => job.id === running.id)
    })
  })

  it('stopped by SIGTERM fails what runs, says goodbye, and exits by itself', async () => {
    const { id, program } = await startEngine()
    const job = api.assignment({ bytes: table(10_000), stallAfter: 1_000 })
    await api.hand(id, job)
    await api.untilState(job.id, 'running')
    expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(await api.untilEnded(job.id)).toMatchObject({ state: 'failed', error: 'its engine was stopped' })
    await waitFor(() => api.announcements.some(({ engine, leaving }) => engine === id && leaving))
  })

  it('starts without a server, says so, and stops by itself when told to', async () => {
    const program = spawnProgram(file, [], {
      environment: { DATABASE_URL: `postgres://user:s3cret@127.0.0.1:${await freePort()}/app` },
    })
    engines.push(program)
    await program.waitForOutput(/postgres is down, trying to reconnect/)
    expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(program.stdout() + program.stderr()).not.toContain('s3cret')
  })

  it('stops in good order also when its brokers have gone before', async () => {
    const server = await startPostgres()
    try {
      const { program } = await startEngine({
        DATABASE_URL: server.url,
        PUBSUB_BACKEND: 'redis',
        REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      })
      server.kill('SIGKILL')
      await program.waitForOutput(/postgres is down/)
      expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null })
      expect(program.stderr()).toBe('')
    } finally {
      await server.stop()
    }
  })

  it.each([
    [{ PUBSUB_BACKEND: 'kafka' }, /PUBSUB_BACKEND is "kafka"/],
    [{ DATABASE_URL: '' }, /DATABASE_URL is not set/],
    [{ PUBSUB_BACKEND: 'memory' }, /does not leave this process/],
    [{ ENGINE_CONCURRENCY: 'many' }, /ENGINE_CONCURRENCY is "many"/],
  ])('ends with one line and exit code 1 for %j', async (environment, words) => {
    const program = spawnProgram(file, [], {
      environment: { DATABASE_URL: inject('postgresUrl'), ...environment },
    })
    engines.push(program)
    expect((await program.exited).code).toBe(1)
    expect(program.stderr()).toMatch(/^error: [^\n]+\n$/)
    expect(program.stderr()).toMatch(words)
  })
})
