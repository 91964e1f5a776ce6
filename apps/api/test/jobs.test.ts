import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { request } from 'node:http'
import { waitFor } from '@ps/services/vitest'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { type Answer, asCsv, ask, asJson } from './ask.js'
import { someResult, type StandInEngine, type StandInOptions, startStandInEngine } from './stand-in-engine.js'

describe('jobs over HTTP', () => {
  let api: ApiProcess
  let engines: StandInEngine[]
  beforeEach(async () => {
    engines = []
    api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      API_MAX_UPLOAD_BYTES: '1000000',
      JOB_SOURCE_ALLOW: 'localhost:9',
    })
  })
  afterEach(async () => {
    await Promise.all(engines.map((engine) => engine.die()))
    await api.stop()
  })

  const addEngine = async (options?: StandInOptions): Promise<StandInEngine> => {
    const engine = await startStandInEngine(api.environment, options)
    engines.push(engine)
    await waitFor(async () => (await api.ask('/v1/engines')).text.includes(engine.id))
    return engine
  }
  const begin = async (): Promise<string> => String((await api.ask('/v1/jobs', asCsv())).json().id)
  const untilState = (id: string, state: string): Promise<Record<string, unknown>> =>
    waitFor(async () => {
      const job = (await api.ask(`/v1/jobs/${id}`)).json()
      return job.state === state ? job : undefined
    })
  const uploads = (): string[] => readdirSync(join(api.dataFolder, 'uploads'))
  const codeOf = (answer: Answer): unknown[] => [answer.status, answer.json().code]

  it('says that no engine is running before it asks for the body, and keeps nothing', async () => {
    const sent = request(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', expect: '100-continue', 'content-length': 500_000 },
    })
    const status = await new Promise((resolve, reject) => {
      sent.on('continue', () => reject(new Error('the body was asked for')))
      sent.on('response', ({ statusCode }) => resolve(statusCode))
      sent.on('error', reject)
      sent.flushHeaders()
    })
    sent.destroy()
    expect(status).toBe(503)
    const answer = await api.ask('/v1/jobs', asCsv())
    expect(codeOf(answer)).toEqual([503, 'no_engine'])
    expect(answer.json().detail).toContain('no engine is running')
    expect(uploads()).toEqual([])
  })

  it('asks for the body of who waits for it when an engine is there', async () => {
    await addEngine()
    const body = 'a\n1\n'
    const sent = request(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', expect: '100-continue', 'content-length': body.length },
    })
    const status = await new Promise((resolve, reject) => {
      sent.on('continue', () => sent.end(body))
      sent.on('response', ({ statusCode }) => resolve(statusCode))
      sent.on('error', reject)
      sent.flushHeaders()
    })
    sent.destroy()
    expect(status).toBe(202)
  })

  it('keeps the file, gives the job to an engine, follows it, and removes the file at the end', async () => {
    const engine = await addEngine()
    const stream = await api.stream('jobs')
    await stream.untilEvent('ps.hello')
    const body = 'a,b\n1,2\nx,3\n'
    const created = await api.ask('/v1/jobs?name=..%2Fmy%20file.csv', asCsv(body))
    const job = created.json()
    expect(created.status).toBe(202)
    expect(created.headers.location).toBe(`/v1/jobs/${String(job.id)}`)
    expect(job).toMatchObject({
      kind: 'profile',
      name: 'my file.csv',
      state: 'running',
      engine: engine.id,
      totalBytes: body.length,
      upload: job.id,
    })
    const id = String(job.id)
    const { source, rejectsUrl } = engine.assignment(id)
    expect(source).toMatchObject({ type: 'upload', format: 'csv', size: body.length })
    expect((await ask(source.url)).text).toBe(body)

    await engine.tell(id, { rows: 1, bytes: 5 })
    await untilState(id, 'running')
    expect(codeOf(await api.ask(`/v1/jobs/${id}/rejects`))).toEqual([409, 'not_done'])

    const rejects = '{"line":3,"reason":"bad","text":"x,3"}\n'
    const put = await ask(rejectsUrl, {
      method: 'PUT',
      headers: { 'content-type': 'application/x-ndjson' },
      body: rejects,
    })
    expect(put.status).toBe(204)
    const result = someResult([{ line: 3, reason: 'bad' }])
    await engine.tell(id, { state: 'done', rows: 3, rejected: 1, endedAt: new Date().toISOString(), result })

    const done = await untilState(id, 'done')
    expect(done).toMatchObject({ rows: 3, rejected: 1, columns: result.columns, rejects: result.rejects })
    expect(done).not.toHaveProperty('result')
    expect(done).not.toHaveProperty('upload')
    const file = await api.ask(`/v1/jobs/${id}/rejects`)
    expect([file.status, file.headers['content-type'], file.text]).toEqual([
      200,
      'application/x-ndjson; charset=utf-8',
      rejects,
    ])
    await waitFor(() => uploads().length === 0, { what: 'the upload to be removed' })
    const [listed] = (await api.ask('/v1/jobs')).list()
    expect(listed).toMatchObject({ id, state: 'done' })
    expect(listed).not.toHaveProperty('columns')
    await stream.until(({ data }) => (data.message as { state?: string } | undefined)?.state === 'done')
    expect(JSON.stringify(stream.events)).not.toContain('signature')
    expect(api.program.stdout()).not.toContain('signature')
    stream.close()
  })

  it('gives the first rejected rows where the engine sent no file of them', async () => {
    const engine = await addEngine()
    const id = await begin()
    await engine.tell(id, { state: 'done', result: someResult([{ line: 2, reason: 'bad' }]) })
    await untilState(id, 'done')
    expect((await api.ask(`/v1/jobs/${id}/rejects`)).text).toBe('{"line":2,"reason":"bad"}\n')
  })

  it('takes NDJSON, and the file name of Content-Disposition', async () => {
    const engine = await addEngine()
    const answer = await api.ask('/v1/jobs', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        'content-disposition': `attachment; filename*=UTF-8''%C3%BC%20rows.ndjson`,
      },
      body: '{"a":1}\n',
    })
    const { id, name } = answer.json()
    expect([answer.status, name]).toEqual([202, 'ü rows.ndjson'])
    expect(engine.assignment(String(id)).source.format).toBe('ndjson')
  })

  it('lists jobs newest first', async () => {
    await addEngine()
    const ids = [await begin(), await begin(), await begin()]
    const listed = (await api.ask('/v1/jobs')).list()
    expect(listed.map(({ id }) => id)).toEqual(ids.toReversed())
  })

  it('refuses a file that is too long, told before or found on the way, and keeps nothing of it', async () => {
    await addEngine()
    const told = await api.ask('/v1/jobs', asCsv('x'.repeat(1_000_001)))
    expect(codeOf(told)).toEqual([413, 'too_large'])
    const found = await api.ask('/v1/jobs', asCsv(Readable.from(['x'.repeat(600_000), 'x'.repeat(600_000)])))
    expect(codeOf(found)).toEqual([413, 'too_large'])
    expect(uploads()).toEqual([])
  })

  it('keeps nothing of an upload that was cut', async () => {
    await addEngine()
    const sent = request(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', 'content-length': 1_000 },
    })
    sent.on('error', () => {})
    sent.write('a,b\n')
    await waitFor(() => uploads().length === 1, { what: 'the upload to begin' })
    sent.destroy()
    await waitFor(() => uploads().length === 0, { what: 'the rest of the upload to be removed' })
    expect((await api.ask('/v1/jobs')).json()).toEqual([])
  })

  it('refuses other types of body, and compressed ones, with 415', async () => {
    await addEngine()
    for (const headers of [
      { 'content-type': 'text/plain' },
      { 'content-type': 'text/csv', 'content-encoding': 'gzip' },
      {},
    ]) {
      const answer = await api.ask('/v1/jobs', { method: 'POST', headers, body: 'a' })
      expect([headers, answer.status]).toEqual([headers, 415])
    }
    expect(uploads()).toEqual([])
  })

  it('starts a job on an address, and never tells the address', async () => {
    const engine = await addEngine()
    const answer = await api.ask(
      '/v1/jobs',
      asJson({ kind: 'profile', source: { url: 'http://localhost:9/dir/rows.jsonl?key=secret' } }),
    )
    expect(answer.status).toBe(202)
    expect(answer.text).not.toContain('secret')
    const { id, name } = answer.json()
    expect(name).toBe('rows.jsonl')
    expect(engine.assignment(String(id)).source).toEqual({
      type: 'url',
      format: 'ndjson',
      url: 'http://localhost:9/dir/rows.jsonl?key=secret',
    })
  })

  it('starts another job on an upload that a job still has', async () => {
    const engine = await addEngine()
    const first = await begin()
    const again = await api.ask(
      '/v1/jobs',
      asJson({ kind: 'profile', source: { upload: first }, name: 'again' }),
    )
    expect([again.status, again.json().upload]).toEqual([202, first])
    await engine.tell(first, { state: 'failed', error: 'no' })
    await untilState(first, 'failed')
    const { source } = engine.assignment(String(again.json().id))
    expect((await ask(source.url)).status).toBe(200)
    await engine.tell(String(again.json().id), { state: 'failed', error: 'no' })
    await waitFor(() => uploads().length === 0)
    const late = await api.ask('/v1/jobs', asJson({ kind: 'profile', source: { upload: first } }))
    expect(codeOf(late)).toEqual([400, 'unknown_upload'])
  })

  it('keeps an upload while a second job on it looks for an engine, though the first ends meanwhile', async () => {
    const willing = await addEngine()
    const first = await begin()
    const mute = await addEngine({ onOffer: 'ignore', capacity: 9 })
    const asked = api.ask('/v1/jobs', asJson({ kind: 'profile', source: { upload: first } }))
    await waitFor(() => mute.offered.length === 1)
    await willing.tell(first, { state: 'failed', error: 'no' })
    await untilState(first, 'failed')
    const again = await asked
    expect(again.status).toBe(202)
    const id = String(again.json().id)
    expect((await ask(willing.assignment(id).source.url)).status).toBe(200)
    await willing.tell(id, { state: 'failed', error: 'no' })
    await waitFor(() => uploads().length === 0)
  })

  it('removes an upload whose job ends while no engine takes a second one on it', async () => {
    const engine = await addEngine()
    const first = await begin()
    const mute = await addEngine({ onOffer: 'ignore', capacity: 9 })
    await engine.die()
    const asked = api.ask('/v1/jobs', asJson({ kind: 'profile', source: { upload: first } }))
    await waitFor(() => mute.offered.length === 1)
    const job = (await api.ask(`/v1/jobs/${first}`)).json()
    await mute.client.publish('jobs', { ...job, state: 'failed', error: 'no', revision: 100 } as never)
    await untilState(first, 'failed')
    expect((await asked).status).toBe(503)
    await waitFor(() => uploads().length === 0)
  })

  it('refuses requests that name no source, several, or what it does not know', async () => {
    await addEngine()
    const source = { url: 'http://localhost:9/' }
    for (const body of [
      {},
      { kind: 'profile' },
      { kind: 'profile', source: {} },
      { kind: 'profile', source: { path: '/etc/passwd' } },
      { kind: 'profile', source: { ...source, upload: 'x' } },
      { kind: 'Not a kind', source },
      { kind: 'profile', source, format: 'xml' },
      { kind: 'profile', source, more: true },
      [],
      'text',
    ]) {
      const answer = await api.ask('/v1/jobs', asJson(body))
      expect([body, answer.status]).toEqual([body, 400])
    }
  })

  it('cancels: the engine is told, and told again while it goes on', async () => {
    const engine = await addEngine()
    const id = await begin()
    const cancelled = await api.ask(`/v1/jobs/${id}`, { method: 'DELETE' })
    expect([cancelled.status, cancelled.json().id]).toEqual([202, id])
    await waitFor(async () => {
      await engine.tell(id, { rows: 1 })
      return engine.cancels.length === 2
    })
    await engine.tell(id, { state: 'cancelled' })
    await untilState(id, 'cancelled')
    expect((await api.ask(`/v1/jobs/${id}`, { method: 'DELETE' })).status).toBe(200)
    expect(codeOf(await api.ask(`/v1/jobs/${id}/rejects`))).toEqual([409, 'not_done'])
  })

  it('refuses to cancel what has ended, and knows no job that there is not', async () => {
    const engine = await addEngine()
    const id = await begin()
    await engine.tell(id, { state: 'failed', error: 'no' })
    await untilState(id, 'failed')
    expect(codeOf(await api.ask(`/v1/jobs/${id}`, { method: 'DELETE' }))).toEqual([409, 'ended'])
    for (const [method, path] of [
      ['GET', '/v1/jobs/none'],
      ['GET', '/v1/jobs/none/rejects'],
      ['DELETE', '/v1/jobs/none'],
    ] as const) {
      expect(codeOf(await api.ask(path, { method }))).toEqual([404, 'unknown_job'])
    }
  })

  it('tries the next engine where one refuses or says nothing, the one with the most room first', async () => {
    const mute = await addEngine({ onOffer: 'ignore', capacity: 9 })
    const full = await addEngine({ onOffer: 'refuse', capacity: 8 })
    const willing = await addEngine({ capacity: 1 })
    const { id, engine } = (await api.ask('/v1/jobs', asCsv())).json()
    expect(engine).toBe(willing.id)
    expect([mute.offered, full.offered, willing.offered]).toEqual([[id], [id], [id]])
    expect([mute.starts, full.starts, [...new Set(willing.starts)]]).toEqual([[], [], [id]])
  })

  it('says why where no engine takes the job, and keeps nothing', async () => {
    await addEngine({ onOffer: 'refuse' })
    const answer = await api.ask('/v1/jobs', asCsv())
    expect(codeOf(answer)).toEqual([503, 'not_accepted'])
    expect(answer.json().detail).toContain('it is full')
    expect(uploads()).toEqual([])
    expect((await api.ask('/v1/jobs')).json()).toEqual([])
  })

  it('tells an engine to start until it is heard', async () => {
    const engine = await addEngine({ deafStarts: 2 })
    const id = await begin()
    // On a busy machine it may be told once more before it is heard.
    expect(engine.starts.length).toBeGreaterThanOrEqual(3)
    expect(new Set(engine.starts)).toEqual(new Set([id]))
  })

  it('gives up on an engine that accepts and never starts, and has it cancel', async () => {
    const engine = await addEngine({ deafStarts: 1_000 })
    const answer = await api.ask('/v1/jobs', asCsv())
    expect(codeOf(answer)).toEqual([503, 'not_started'])
    await waitFor(() => engine.cancels.length === 1)
    expect(uploads()).toEqual([])
    expect((await api.ask('/v1/jobs')).json()).toEqual([])
  })

  it('runs each of many jobs once, on the two engines that there are', async () => {
    const pair = [await addEngine({ capacity: 4 }), await addEngine({ capacity: 4 })]
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.ask('/v1/jobs', asCsv())))
    const ids = answers.map((answer) => String(answer.json().id))
    const started = pair.flatMap(({ starts }) => [...new Set(starts)])
    expect(started.toSorted()).toEqual(ids.toSorted())
    for (const { starts } of pair) expect(starts.length).toBeGreaterThan(0)
  })

  it('believes nobody who publishes nonsense where the engines publish', async () => {
    const engine = await addEngine()
    const id = await begin()
    const nonsense: unknown[] = [null, 1, 'text', {}, { id: '../../etc/passwd', state: 'done' }]
    for (const message of nonsense) {
      await engine.client.publish('jobs', message as never)
      await engine.client.publish('engines', message as never)
    }
    const told = await engine.tell(id, { rows: 5 })
    await engine.client.publish('jobs', { ...told, rows: 1, revision: 0 })
    const more = { rows: 6, revision: told.revision + 1, more: 'than a job has', upload: 'none' }
    await engine.client.publish('jobs', { ...told, ...more })
    await waitFor(async () => (await api.ask(`/v1/jobs/${id}`)).json().rows === 6)
    const [listed, ...others] = (await api.ask('/v1/jobs')).list()
    expect([listed?.upload, listed, others]).toEqual([
      id,
      expect.not.objectContaining({ more: expect.anything() }),
      [],
    ])
    expect((await api.ask('/v1/engines')).list()).toHaveLength(1)
  })

  it('gives jobs to the engines that there are, whatever else calls itself one', async () => {
    const engine = await addEngine()
    const [known] = (await api.ask('/v1/engines')).list()
    for (const name of ['x'.repeat(300), 'a\0b', 'a/b', '']) {
      await engine.client.publish('engines', { ...known, engine: name, capacity: 1_000 } as never)
    }
    // What is published later is heard later.
    const later = await addEngine()
    expect((await api.ask('/v1/engines')).list().map((one) => one.engine)).toEqual(
      [engine.id, later.id].toSorted((left, right) => left.localeCompare(right)),
    )
    expect((await api.ask('/v1/jobs', asCsv())).status).toBe(202)
  })

  it('gives the rejected rows of a job whose name is no text', async () => {
    const engine = await addEngine()
    const id = await begin()
    await engine.tell(id, {
      name: '\ud800.csv',
      state: 'done',
      result: someResult([{ line: 2, reason: 'bad' }]),
    })
    await untilState(id, 'done')
    const file = await api.ask(`/v1/jobs/${id}/rejects`)
    expect([file.status, file.headers['content-disposition']]).toEqual([
      200,
      "attachment; filename*=UTF-8''%EF%BF%BD.csv.rejects.ndjson",
    ])
  })

  it('forgets an engine that leaves', async () => {
    const engine = await addEngine()
    const id = await begin()
    await engine.announce({ leaving: true })
    await waitFor(async () => (await api.ask('/v1/engines')).text === '[]')
    await untilState(id, 'lost')
  })
})
