import { startFaultProxy } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { asCsv, ask, asJson } from './ask.js'
import { someResult, type StandInEngine, type StandInOptions, startStandInEngine } from './stand-in-engine.js'

describe('what the api knows of jobs', () => {
  const cleanups: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const clean of cleanups.splice(0).toReversed()) await clean()
  })

  const startApi = async (environment = ownWorld(inject('postgresUrl'))): Promise<ApiProcess> => {
    const api = await startApiProcess(environment)
    cleanups.push(() => api.stop())
    return api
  }
  const addEngine = async (api: ApiProcess, options?: StandInOptions): Promise<StandInEngine> => {
    const engine = await startStandInEngine(api.environment, options)
    cleanups.push(() => engine.die())
    await waitFor(async () => (await api.ask('/v1/engines')).text.includes(engine.id))
    return engine
  }
  const begin = async (api: ApiProcess): Promise<string> =>
    String((await api.ask('/v1/jobs', asCsv())).json().id)
  const untilState = (api: ApiProcess, id: string, state: string, timeout?: number) =>
    waitFor(
      async () => {
        const answer = await api.ask(`/v1/jobs/${id}`)
        return answer.status === 200 && answer.json().state === state ? answer.json() : undefined
      },
      { what: `the job to be ${state}`, ...(timeout !== undefined && { timeout }) },
    )

  it('holds a job for lost when its engine dies, tells who watches, and finds it again', async () => {
    const api = await startApi()
    const engine = await addEngine(api)
    const id = await begin(api)
    const stream = await api.stream('jobs')
    await stream.untilEvent('ps.hello')
    await engine.die()
    await untilState(api, id, 'lost', 10_000)
    const lost = await stream.until(
      ({ data }) => (data.message as { state?: string } | undefined)?.state === 'lost',
    )
    expect(lost.data.message).toMatchObject({ id, engine: engine.id })
    stream.close()

    // Its upload is kept, so that the work can be given to another.
    const other = await addEngine(api)
    const again = await api.ask('/v1/jobs', asJson({ kind: 'profile', source: { upload: id } }))
    expect([again.status, again.json().engine]).toEqual([202, other.id])
  })

  it('shows a lost job as its engine tells it when the engine turns up again', async () => {
    const api = await startApi()
    const engine = await addEngine(api)
    const id = await begin(api)
    await engine.announce({ leaving: true })
    await untilState(api, id, 'lost')
    // Its next announcement makes the api ask, and it reports the same revision as before.
    await untilState(api, id, 'running')
    await engine.tell(id, { state: 'done', result: someResult() })
    await untilState(api, id, 'done')
  })

  it('holds the jobs of an engine for lost that has begun anew under its name', async () => {
    const api = await startApi()
    const engine = await addEngine(api, { id: 'same-name' })
    const id = await begin(api)
    await engine.die()
    await addEngine(api, { id: 'same-name' })
    await untilState(api, id, 'lost')
  })

  it('shows the running jobs within 2 s of a restart, and serves their files on', async () => {
    let api = await startApi()
    const engine = await addEngine(api)
    const id = await begin(api)
    await engine.tell(id, { rows: 7 })
    const { source } = engine.assignment(id)
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      api = await api.restart(signal)
      const restarted = api
      cleanups.push(() => restarted.stop())
      const job = await waitFor(
        async () => (await api.ask('/v1/jobs')).list().find(({ rows }) => rows === 7),
        { timeout: 2_000, what: 'the running job' },
      )
      expect(job).toMatchObject({ id, state: 'running' })
      const rest = await ask(source.url, { headers: { range: 'bytes=4-' } })
      expect([rest.status, rest.text]).toEqual([206, '1,2\n'])
    }
  })

  it('remembers after a restart what was found', async () => {
    let api = await startApi()
    const engine = await addEngine(api)
    const id = await begin(api)
    const result = someResult([{ line: 2, reason: 'bad' }])
    await engine.tell(id, { state: 'done', result })
    await untilState(api, id, 'done')
    await engine.die()
    api = await api.restart()
    cleanups.push(() => api.stop())
    expect((await api.ask(`/v1/jobs/${id}`)).json()).toMatchObject({ state: 'done', columns: result.columns })
    expect((await api.ask(`/v1/jobs/${id}/rejects`)).text).toBe('{"line":2,"reason":"bad"}\n')
  })

  it('holds a job for lost whose engine died while the api was away', async () => {
    let api = await startApi()
    const engine = await addEngine(api)
    const id = await begin(api)
    await engine.die()
    api = await api.restart()
    cleanups.push(() => api.stop())
    await untilState(api, id, 'lost', 12_000)
  })

  it('asks the engines after a gap, and holds nothing for lost because the broker was away', async () => {
    const database = new URL(inject('postgresUrl'))
    const proxy = await startFaultProxy({ port: Number(database.port) })
    cleanups.push(() => proxy.close())
    const world = ownWorld(database.href)
    const api = await startApi({ ...world, DATABASE_URL: proxy.through(database.href) })
    // The engine keeps its own way to the broker.
    const engine = await startStandInEngine(world)
    cleanups.push(() => engine.die())
    await waitFor(async () => (await api.ask('/v1/engines')).text.includes(engine.id))
    const id = await begin(api)
    const stream = await api.stream('jobs')
    await stream.untilEvent('ps.hello')
    await proxy.refuse()
    proxy.cut()
    await waitFor(async () => (await api.ask('/readyz')).status === 503)
    await engine.tell(id, { rows: 99 })
    const awayUntil = Date.now() + 8_000
    await waitFor(() => Date.now() > awayUntil)
    await proxy.accept()
    await stream.untilEvent('ps.gap')
    await waitFor(async () => (await api.ask(`/v1/jobs/${id}`)).json().rows === 99)
    expect((await api.ask(`/v1/jobs/${id}`)).json().state).toBe('running')
    expect(stream.messages('jobs')).not.toContainEqual(expect.objectContaining({ state: 'lost' }))
    stream.close()
  })

  it('shows the jobs of another api, too', async () => {
    const world = ownWorld(inject('postgresUrl'))
    const [one, other] = [await startApi(world), await startApi(world)]
    const engine = await addEngine(one)
    const id = await begin(one)
    await untilState(other, id, 'running')
    await engine.tell(id, { state: 'done', result: someResult() })
    expect(await untilState(other, id, 'done')).toMatchObject({ columns: someResult().columns })
  })
})
