import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Validator } from '@seriousme/openapi-schema-validator'
import { type FaultProxy, startFaultProxy } from '@ps/services'
import { spawnProgram, waitFor } from '@ps/services/vitest'
import { generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { type Answer, ask, asCsv, asJson, type AskOptions } from './ask.js'
import { type OpenapiDocument, readOpenapiDocument } from './openapi-document.js'
import { bearer, inSeconds, jwtEnvironment, signToken } from './sign-token.js'
import { someResult, type StandInEngine, startStandInEngine } from './stand-in-engine.js'
import { openStream } from './test-stream.js'

const maxUploadBytes = 100_000
const engineFile = fileURLToPath(new URL('../../engine/dist/main.js', import.meta.url))
const penguins = readFileSync(new URL('../../engine/test/fixtures/penguins.csv', import.meta.url))
const page = readFileSync(new URL('../../../docs/http.md', import.meta.url), 'utf8')

/** Nothing that a program asks for: the pages, what describes the rest, and what engines have signed addresses for. */
const isUndescribed = (path: string): boolean =>
  path === '/' || path === '/openapi.json' || /^\/(?:assets|docs|internal)(?:\/|$)/.test(path)

interface OperationCase {
  /** An address of it, and what a request has that nothing speaks against. */
  readonly path: string
  readonly options?: AskOptions
  /** Answers that are not to be had in the same way from every operation. */
  readonly answers: Readonly<Record<number, () => Promise<Answer>>>
}

describe('/openapi.json', () => {
  let api: ApiProcess
  /** One that has answered as often as it may. */
  let limited: ApiProcess
  /** One without a broker and without the keys that tokens are checked with. */
  let helpless: ApiProcess
  let proxy: FaultProxy
  let engine: StandInEngine
  let everything: { readonly authorization: string }
  let unknowable: { readonly authorization: string }
  let document: OpenapiDocument
  let written: Record<string, unknown>

  beforeAll(async () => {
    const world = ownWorld(inject('postgresUrl'))
    proxy = await startFaultProxy({ port: Number(new URL(world.DATABASE_URL ?? '').port) })
    await proxy.refuse()
    ;[api, limited, helpless] = await Promise.all([
      startApiProcess({
        ...world,
        ...jwtEnvironment,
        API_MAX_UPLOAD_BYTES: String(maxUploadBytes),
        API_MAX_STORED_BYTES: String(maxUploadBytes + 50_000),
        API_REQUEST_TIMEOUT: '1000',
        API_ADDRESS_RATE: '0',
        API_CREDENTIAL_RATE: '0',
        NODE_OPTIONS: `--import=${new URL('./list-routes.mjs', import.meta.url).href}`,
      }),
      startApiProcess({ ...world, ...jwtEnvironment, API_ADDRESS_RATE: '1' }),
      startApiProcess({
        ...world,
        DATABASE_URL: proxy.through(world.DATABASE_URL ?? ''),
        API_JWKS_URL: 'http://127.0.0.1:1/keys',
        API_JWT_ISSUER: jwtEnvironment.API_JWT_ISSUER,
        API_JWT_AUDIENCE: jwtEnvironment.API_JWT_AUDIENCE,
        API_SECRET: 'a-secret-of-tests-that-is-long-enough',
      }),
    ])
    engine = await startStandInEngine(api.environment)
    everything = bearer(
      await signToken({ publish: ['*'], subscribe: ['*'], scope: 'jobs metrics', exp: inSeconds(3_600) }),
    )
    const { privateKey } = await generateKeyPair('ES256')
    unknowable = bearer(await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(privateKey))
    written = (await askAs('/openapi.json')).json()
    document = readOpenapiDocument(written)
    await waitFor(async () => (await askAs('/v1/engines')).text.includes(engine.id))
  })
  afterAll(async () => {
    await engine?.die()
    await Promise.all([api, limited, helpless].map((each) => each?.stop()))
    await proxy?.close()
  })

  const askAs = (path: string, options: AskOptions = {}): Promise<Answer> =>
    api.ask(path, { ...options, headers: { ...everything, ...options.headers } })
  const askWith = (
    { path, options }: OperationCase,
    headers: AskOptions['headers'],
    url = api.url,
  ): Promise<Answer> => ask(`${url}${path}`, { ...options, headers: { ...options?.headers, ...headers } })

  const askWithBody = (sample: OperationCase, type: string, body: string): Promise<Answer> =>
    askWith(
      { ...sample, options: { ...sample.options, body } },
      // By itself Node.js says nothing of a length where the method is DELETE.
      { ...everything, 'content-type': type, 'content-length': Buffer.byteLength(body) },
    )

  const startJob = async (): Promise<string> => String((await askAs('/v1/jobs', asCsv())).json().id)
  const endJob = async (state: 'done' | 'failed' | 'cancelled'): Promise<string> => {
    const id = await startJob()
    const result = state === 'done' ? { result: someResult([{ line: 2, reason: 'bad' }]) } : {}
    await engine.tell(id, { state, rejected: 1, ...result, ...(state === 'failed' && { error: 'no' }) })
    await waitFor(async () => (await askAs(`/v1/jobs/${id}`)).json().state === state)
    return id
  }
  const beginningOf = async (path: string): Promise<Answer> => {
    const stream = await openStream(`${api.url}${path}`, everything)
    await stream.untilEvent('ps.hello')
    stream.close()
    const { status, headers, beginning } = stream
    return { status, headers, text: beginning(), json: () => ({}), list: () => [] }
  }

  /** Every operation, so that each answer that the document lists has been seen. */
  const cases: Readonly<Record<string, OperationCase>> = {
    'POST /v1/session': {
      path: '/v1/session',
      options: { method: 'POST' },
      answers: { 200: () => askAs('/v1/session', { method: 'POST' }) },
    },
    'DELETE /v1/session': {
      path: '/v1/session',
      options: { method: 'DELETE' },
      answers: { 204: () => api.ask('/v1/session', { method: 'DELETE' }) },
    },
    'POST /v1/tickets': {
      path: '/v1/tickets',
      options: asJson({ channels: ['any'] }),
      answers: { 201: () => askAs('/v1/tickets', asJson({ channels: ['any'] })) },
    },
    'GET /v1/events': {
      path: '/v1/events?channel=any',
      answers: { 200: () => beginningOf('/v1/events?channel=any') },
    },
    'POST /v1/channels/{channel}/messages': {
      path: '/v1/channels/any/messages',
      options: asJson(1),
      answers: { 202: () => askAs('/v1/channels/any/messages', asJson(1)) },
    },
    'GET /v1/jobs': {
      path: '/v1/jobs',
      answers: {
        async 200() {
          await startJob()
          await endJob('done')
          await endJob('failed')
          return askAs('/v1/jobs')
        },
      },
    },
    'POST /v1/jobs': {
      path: '/v1/jobs',
      options: asCsv(),
      answers: {
        202: () => askAs('/v1/jobs', asCsv()),
        async 507() {
          const body = 'x'.repeat(80_000)
          await askAs('/v1/jobs', asCsv(body))
          return askAs('/v1/jobs', asCsv(body))
        },
      },
    },
    'GET /v1/jobs/{id}': {
      path: '/v1/jobs/any',
      answers: {
        200: async () => askAs(`/v1/jobs/${await endJob('done')}`),
        404: () => askAs('/v1/jobs/any'),
      },
    },
    'DELETE /v1/jobs/{id}': {
      path: '/v1/jobs/any',
      options: { method: 'DELETE' },
      answers: {
        200: async () => askAs(`/v1/jobs/${await endJob('cancelled')}`, { method: 'DELETE' }),
        202: async () => askAs(`/v1/jobs/${await startJob()}`, { method: 'DELETE' }),
        404: () => askAs('/v1/jobs/any', { method: 'DELETE' }),
        409: async () => askAs(`/v1/jobs/${await endJob('failed')}`, { method: 'DELETE' }),
      },
    },
    'GET /v1/jobs/{id}/rejects': {
      path: '/v1/jobs/any/rejects',
      answers: {
        200: async () => askAs(`/v1/jobs/${await endJob('done')}/rejects`),
        404: () => askAs('/v1/jobs/any/rejects'),
        409: async () => askAs(`/v1/jobs/${await startJob()}/rejects`),
      },
    },
    'GET /v1/engines': { path: '/v1/engines', answers: { 200: () => askAs('/v1/engines') } },
    'GET /v1/streams': {
      path: '/v1/streams',
      answers: {
        async 200() {
          const stream = await openStream(`${api.url}/v1/events?channel=any`, everything)
          await stream.untilEvent('ps.hello')
          const answer = await askAs('/v1/streams')
          stream.close()
          return answer
        },
      },
    },
    'GET /livez': { path: '/livez', answers: { 200: () => api.ask('/livez') } },
    'GET /readyz': {
      path: '/readyz',
      answers: { 200: () => api.ask('/readyz'), 503: () => helpless.ask('/readyz') },
    },
    'GET /metrics': { path: '/metrics', answers: { 200: () => askAs('/metrics') } },
  }

  /** Answers that every operation that lists them gives to the same mistake. */
  const mistakes: Readonly<Record<number, (sample: OperationCase, operation: string) => Promise<Answer>>> = {
    400: (sample) =>
      askWith(
        { ...sample, path: `${sample.path}${sample.path.includes('?') ? '&' : '?'}token=x` },
        everything,
      ),
    401: (sample) => askWith(sample, {}),
    403: (sample) =>
      askWith(sample, {
        ...everything,
        origin: 'https://evil.example',
        'sec-fetch-site': 'cross-site',
      }),
    // Begun, and never ended.
    408: (sample) =>
      askWith(
        {
          ...sample,
          options: { ...sample.options, body: new Readable({ read() {} }) },
        },
        { ...everything, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      ),
    413: (sample) => askWithBody(sample, 'application/json', ' '.repeat(3 * 1024 ** 2)),
    414: (sample, operation) =>
      askWith(
        { ...sample, path: operation.replace(/^\w+ /, '').replace(/\{\w+\}/, 'x'.repeat(5_000)) },
        everything,
      ),
    415: (sample) => askWithBody(sample, 'text/plain', 'x'),
    421: (sample) => askWith(sample, { ...everything, host: 'evil.example' }),
    async 429(sample) {
      const answer = await askWith(sample, everything, limited.url)
      // The first within a minute is answered.
      return answer.status === 429 ? answer : askWith(sample, everything, limited.url)
    },
    503: (sample) => askWith(sample, unknowable, helpless.url),
  }

  it('is valid OpenAPI 3.1', async () => {
    expect(written.openapi).toMatch(/^3\.1\./)
    expect(await new Validator().validate(structuredClone(written))).toEqual({ valid: true })
  })

  it('has every operation of the server, and none besides', () => {
    const served = [...api.program.stderr().matchAll(/^route (\w+) (\S+)$/gm)]
      .map(([, method = '', path = '']) => ({ method, path: path.replace(/:(\w+)/g, '{$1}') }))
      .filter(({ method, path }) => method !== 'HEAD' && !isUndescribed(path))
      .map(({ method, path }) => `${method} ${path}`)
    expect([...document.operations.keys()].toSorted()).toEqual([...new Set(served)].toSorted())
  })

  it('has what docs/http.md has', () => {
    const [, table = ''] = /\| route \| answer \|\n([^]*?)\n\n/.exec(page) ?? []
    const listed = table
      .split('\n')
      .flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([A-Z]+ [^`?]+)[^`]*`/g)])
      .map(([, operation = '']) => operation)
      .filter((operation) => !isUndescribed(operation.split(' ')[1] ?? ''))
    expect(listed.toSorted()).toEqual([...document.operations.keys()].toSorted())
    const [, errors = ''] = /\| status \| when \|\n([^]*?)\n\n/.exec(page) ?? []
    const told = [...errors.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, list = '']) => list.split(', '))
    const statuses = [...document.operations.values()].flatMap(({ responses }) => Object.keys(responses))
    expect(told).toEqual(expect.arrayContaining(statuses.filter((status) => Number(status) >= 400)))
  })

  it('has a case here for each operation', () => {
    const missing = [...document.operations.keys()].filter((name) => cases[name] === undefined)
    expect(missing, 'operations that nothing here asks for: add them to `cases`').toEqual([])
  })

  it.each(Object.entries(cases))('says how %s answers', async (name, sample) => {
    const operation = document.operations.get(name)
    expect(operation, `${name} is not in the document`).toBeDefined()
    const listed = new Set(Object.keys(operation?.responses ?? {}).map(Number))
    const isWithoutBody = name.startsWith('GET')
    const wrong: string[] = []
    for (const status of new Set([
      ...listed,
      ...Object.keys({ ...mistakes, ...sample.answers }).map(Number),
    ])) {
      if (!listed.has(status) && isWithoutBody && [408, 413, 415].includes(status)) continue
      const provoke = sample.answers[status] ?? mistakes[status]
      const answer = await provoke?.(sample, name)
      // Where it is no mistake for this operation, it answers something else that is listed.
      if (answer === undefined) wrong.push(`nothing here makes ${name} answer ${status}: add it to its case`)
      else if (listed.has(status) && answer.status !== status)
        wrong.push(`${name} answers ${answer.status} instead of ${status}`)
      const complaint = answer && document.complaint(name, answer)
      if (complaint !== undefined) wrong.push(complaint)
    }
    expect(wrong).toEqual([])
  })

  it.each(Object.entries(cases))('says whether %s needs a credential', async (name, sample) => {
    const needed = (document.operations.get(name)?.security ?? (written.security as object[])).length > 0
    const { status } = await askWith(sample, {})
    expect(status === 401).toBe(needed)
  })

  it.each(Object.entries(cases))(
    'goes for HEAD and OPTIONS of the address of %s, too',
    async (name, sample) => {
      const [, path = ''] = name.split(' ')
      const methods = [...document.operations.keys()]
        .filter((each) => each.endsWith(` ${path}`))
        .map((each) => each.split(' ')[0] ?? '')
      const hasHead = methods.includes('GET') && !['/v1/events', '/v1/jobs/{id}/rejects'].includes(path)
      const allowed = [...methods, ...(hasHead ? ['HEAD'] : [])].toSorted()
      for (const method of ['OPTIONS', 'PATCH', ...(hasHead ? [] : ['HEAD'])]) {
        const answer = await askAs(sample.path, { method })
        expect([method, answer.status, answer.headers.allow?.split(', ').toSorted()]).toEqual([
          method,
          405,
          allowed,
        ])
        expect(answer.headers['content-type']).toBe('application/problem+json')
      }
      if (!hasHead) return
      const [head, got] = [await askAs(sample.path, { method: 'HEAD' }), await askAs(sample.path)]
      expect([head.status, head.headers['content-type'], head.text]).toEqual([
        got.status,
        got.headers['content-type'],
        '',
      ])
    },
  )

  it('says how a real engine and its jobs look', async () => {
    const real = await startApiProcess(ownWorld(inject('postgresUrl')))
    const folder = mkdtempSync(join(tmpdir(), 'ps-engine-'))
    const program = spawnProgram(engineFile, [], {
      environment: { ...real.environment, ENGINE_DATA_DIR: folder },
    })
    onTestFinished(async () => {
      await program.stop()
      await real.stop()
      rmSync(folder, { recursive: true })
    })
    await waitFor(async () => (await real.ask('/v1/engines')).text !== '[]')
    const begun = await real.ask('/v1/jobs?name=penguins.csv', asCsv(`${penguins.toString()}too,few\n`))
    const path = `/v1/jobs/${String(begun.json().id)}`
    await waitFor(async () => (await real.ask(path)).json().state === 'done')
    const job = await real.ask(path)
    expect(job.json()).toMatchObject({ rejected: 1, columns: expect.any(Array) })
    const said: readonly (readonly [string, Answer])[] = [
      ['POST /v1/jobs', begun],
      ['GET /v1/jobs/{id}', job],
      ['GET /v1/jobs/{id}/rejects', await real.ask(`${path}/rejects`)],
      ['DELETE /v1/jobs/{id}', await real.ask(path, { method: 'DELETE' })],
      ['GET /v1/jobs', await real.ask('/v1/jobs')],
      ['GET /v1/engines', await real.ask('/v1/engines')],
      ['GET /readyz', await real.ask('/readyz')],
    ]
    // Where nobody needs a credential it is another document.
    const own = (await real.ask('/openapi.json')).json()
    expect(await new Validator().validate(structuredClone(own))).toEqual({ valid: true })
    for (const [name, answer] of said)
      expect(readOpenapiDocument(own).complaint(name, answer)).toBeUndefined()
  })
})
