import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '@ps/services/vitest'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { asCsv, ask, asJson, type AskOptions } from './ask.js'
import { type StandInEngine, startStandInEngine } from './stand-in-engine.js'

describe('whom the api trusts', () => {
  let api: ApiProcess
  let engine: StandInEngine
  beforeAll(async () => {
    api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      API_ALLOWED_HOSTS: 'dash.example,proxy.example:8443',
      JOB_SOURCE_ALLOW: 'localhost:9, Files.internal.example',
    })
    engine = await startStandInEngine(api.environment)
    await waitFor(async () => (await api.ask('/v1/engines')).text.includes(engine.id))
  })
  afterAll(async () => {
    await engine.die()
    await api.stop()
  })

  const publish = (headers: AskOptions['headers']) => {
    const { method = 'POST', headers: own, body = '' } = asJson(1)
    return api.ask('/v1/channels/any/messages', { method, body, headers: { ...own, ...headers } })
  }

  it.each([
    ['localhost', 200],
    ['localhost:8080', 200],
    ['LOCALHOST', 200],
    ['127.0.0.1', 200],
    ['[::1]:3000', 200],
    ['dash.example', 200],
    ['dash.example:444', 200],
    ['evil.example', 421],
    ['evil.example:3000', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['10.1.2.3', 421],
    ['localhost@evil.example', 421],
  ])('answers the Host %j with %i', async (host, status) => {
    const answer = await api.ask('/v1/jobs', { headers: { host } })
    expect(answer.status).toBe(status)
    expect((await api.ask('/', { headers: { host } })).status).toBe(status)
  })

  it('names no address by the Host header', async () => {
    const { headers, body = '' } = asCsv()
    const answer = await api.ask('/v1/jobs', {
      method: 'POST',
      headers: { ...headers, host: 'dash.example' },
      body,
    })
    const { id } = answer.json()
    expect(answer.headers.location).toBe(`/v1/jobs/${String(id)}`)
    const { source, rejectsUrl } = engine.assignment(String(id))
    expect([new URL(source.url).origin, new URL(rejectsUrl).origin]).toEqual([api.url, api.url])
  })

  it.each([
    ['http://localhost:PORT', 'localhost:PORT', 202],
    ['http://127.0.0.1:PORT', 'localhost:PORT', 202],
    ['http://localhost:8080', 'localhost:8080', 202],
    ['https://dash.example', 'localhost:PORT', 202],
    ['https://proxy.example:8443', 'localhost:PORT', 202],
    ['http://localhost:1', 'localhost:PORT', 403],
    ['https://proxy.example', 'localhost:PORT', 403],
    ['https://evil.example', 'localhost:PORT', 403],
    ['https://localhost.evil.example', 'localhost:PORT', 403],
    ['null', 'localhost:PORT', 403],
    ['nonsense', 'localhost:PORT', 403],
  ])('answers a publish from %s to %s with %i', async (from, to, status) => {
    const [origin, host] = [from, to].map((text) => text.replace('PORT', String(api.port)))
    expect((await publish({ origin, host })).status).toBe(status)
  })

  it('refuses jobs, cancellations and streams from other sites, and everything that a browser marks as cross-site', async () => {
    const foreign = { origin: 'https://evil.example' }
    const { headers, body = '' } = asCsv()
    for (const [path, options] of [
      ['/v1/jobs', { method: 'POST', headers: { ...headers, ...foreign }, body }],
      ['/v1/jobs/any', { method: 'DELETE', headers: foreign }],
      ['/v1/events?channel=any', { headers: foreign }],
      ['/v1/jobs', { headers: { 'sec-fetch-site': 'cross-site' } }],
      ['/v1/events?channel=any', { headers: { 'sec-fetch-site': 'cross-site' } }],
    ] as const) {
      const answer = await api.ask(path, options)
      expect([path, answer.status, answer.json().code]).toEqual([path, 403, 'foreign_origin'])
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
    }
    expect((await api.ask('/', { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(200)
    expect((await publish({ 'sec-fetch-site': 'same-origin' })).status).toBe(202)
  })

  it.each([
    '/etc/passwd',
    'file:///etc/passwd',
    'ftp://example.com/a.csv',
    'data:text/csv,a',
    'https://user:password@example.com/a.csv',
    'http://localhost/a.csv',
    'http://localhost:10/a.csv',
    'http://a.localhost/a.csv',
    'http://127.0.0.1/a.csv',
    'http://127.1/a.csv',
    'http://2130706433/a.csv',
    'http://0x7f000001/a.csv',
    'http://0177.0.0.1/a.csv',
    'http://0.0.0.0/a.csv',
    'http://10.0.0.1/a.csv',
    'http://172.16.0.1/a.csv',
    'http://192.168.1.1/a.csv',
    'http://100.64.0.1/a.csv',
    'http://169.254.169.254/latest/meta-data',
    'http://168.63.129.16/metadata',
    'http://224.0.0.1/a.csv',
    'http://255.255.255.255/a.csv',
    'http://[::]/a.csv',
    'http://[::1]/a.csv',
    'http://[::ffff:127.0.0.1]/a.csv',
    'http://[::ffff:8.8.8.8]/a.csv',
    'http://[64:ff9b::7f00:1]/a.csv',
    'http://[2002:7f00:1::]/a.csv',
    'http://[fe80::1]/a.csv',
    'http://[fd00:ec2::254]/a.csv',
    'http://[ff02::1]/a.csv',
    'http://does-not-exist.invalid/a.csv',
    // Stands at an address of this machine or of its network, and is caught by no rule of names.
    `http://${hostname()}/a.csv`,
    '',
  ])('refuses the source %s', async (url) => {
    const answer = await api.ask('/v1/jobs', asJson({ kind: 'profile', source: { url } }))
    expect([answer.status, answer.json().code]).toEqual([400, 'bad_source'])
    expect(answer.text).not.toContain('user:password')
  })

  it.each([
    'http://localhost:9/a.csv',
    'http://LOCALHOST:9/a.csv',
    'https://files.internal.example/a.csv',
    'http://8.8.8.8/a.csv',
  ])('takes the source %s, which is public or allowed', async (url) => {
    const answer = await api.ask('/v1/jobs', asJson({ kind: 'profile', source: { url } }))
    expect(answer.status).toBe(202)
  })

  it('serves an upload by its signed address only, whole and in parts', async () => {
    const body = '0123456789'
    const { id } = (await api.ask('/v1/jobs', asCsv(body))).json()
    const { url } = engine.assignment(String(id)).source
    const whole = await ask(url)
    expect([whole.status, whole.text, whole.headers['accept-ranges']]).toEqual([200, body, 'bytes'])
    for (const [range, status, text, contentRange] of [
      ['bytes=4-', 206, '456789', 'bytes 4-9/10'],
      ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
      ['bytes=-3', 206, '789', 'bytes 7-9/10'],
      ['bytes=8-100', 206, '89', 'bytes 8-9/10'],
      ['bytes=0-1,3-4', 200, body, undefined],
      ['lines=1-2', 200, body, undefined],
    ] as const) {
      const part = await ask(url, { headers: { range } })
      expect([range, part.status, part.text, part.headers['content-range']]).toEqual([
        range,
        status,
        text,
        contentRange,
      ])
      expect(part.headers['content-length']).toBe(String(text.length))
    }
    const beyond = await ask(url, { headers: { range: 'bytes=10-' } })
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */10'])

    const forged = (change: (address: URL) => void): string => {
      const address = new URL(url)
      change(address)
      return address.href
    }
    const signature = new URL(url).searchParams.get('signature') ?? ''
    for (const address of [
      forged((each) => each.searchParams.delete('signature')),
      forged((each) => each.searchParams.delete('expires')),
      forged((each) => each.searchParams.set('signature', 'AAAA')),
      forged((each) => each.searchParams.set('signature', signature.slice(0, -2))),
      forged((each) => each.searchParams.set('expires', String(Date.now() + 10 ** 12))),
      forged((each) => each.searchParams.append('signature', signature)),
      forged((each) => void (each.pathname = '/internal/uploads/other')),
      forged((each) => void (each.pathname = '/internal/uploads/..%2Fsecret')),
    ]) {
      const answer = await ask(address)
      expect([address, answer.status]).toEqual([address, 403])
    }
    const secret = Buffer.from(readFileSync(join(api.dataFolder, 'secret'), 'utf8'), 'base64url')
    const signedUntil = (time: number): string =>
      forged(({ pathname, searchParams }) => {
        const digest = createHmac('sha256', secret).update(`GET\n${pathname}\n${time}`).digest('base64url')
        searchParams.set('expires', String(time))
        searchParams.set('signature', digest)
      })
    expect((await ask(signedUntil(Date.now() + 60_000))).status).toBe(200)
    expect((await ask(signedUntil(Date.now() - 1))).status).toBe(403)
    const put = await ask(url, {
      method: 'PUT',
      body: 'x',
      headers: { 'content-type': 'application/x-ndjson' },
    })
    expect(put.status).toBe(405)
    const wrongPut = await ask(url.replace('uploads', 'rejects'), {
      method: 'PUT',
      body: 'x',
      headers: { 'content-type': 'application/x-ndjson' },
    })
    expect(wrongPut.status).toBe(403)
    expect(api.program.stdout()).not.toContain(signature)
  })
})

describe('with API_TOKEN', () => {
  const token = 'a-token-that-nobody-guesses'
  let api: ApiProcess
  let engine: StandInEngine
  beforeAll(async () => {
    api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      API_TOKEN: token,
      HOST: '0.0.0.0',
      LOG_LEVEL: 'debug',
    })
    engine = await startStandInEngine(api.environment)
  })
  afterAll(async () => {
    await engine.die()
    await api.stop()
  })
  const authorization = `Bearer ${token}`

  it.each([
    ['GET', '/v1/jobs'],
    ['POST', '/v1/jobs'],
    ['GET', '/v1/jobs/any'],
    ['DELETE', '/v1/jobs/any'],
    ['GET', '/v1/jobs/any/rejects'],
    ['GET', '/v1/engines'],
    ['GET', '/v1/events?channel=any'],
    ['POST', '/v1/channels/any/messages'],
    ['GET', '/metrics'],
    ['GET', '/openapi.json'],
    ['GET', '/docs'],
    ['GET', '/docs/json'],
    ['GET', '/nothing'],
  ])('needs it for %s %s', async (method, path) => {
    for (const wrong of [undefined, 'Bearer wrong', `Basic ${token}`, token, `Bearer ${token}x`]) {
      const answer = await api.ask(path, {
        method,
        headers: wrong === undefined ? {} : { authorization: wrong },
      })
      expect([wrong, answer.status, answer.headers['www-authenticate']]).toEqual([
        wrong,
        401,
        wrong?.startsWith('Bearer') ? 'Bearer error="invalid_token"' : 'Bearer',
      ])
    }
  })

  it.each(['/', '/assets/main.js', '/livez', '/readyz'])('needs none for %s', async (path) => {
    expect((await api.ask(path)).status).toBe(200)
  })

  it('works with it, gives engines addresses that need none, and logs neither', async () => {
    await waitFor(async () =>
      (await api.ask('/v1/engines', { headers: { authorization } })).text.includes(engine.id),
    )
    const { headers, body = '' } = asCsv()
    const { id } = (
      await api.ask('/v1/jobs', { method: 'POST', headers: { ...headers, authorization }, body })
    ).json()
    const { url } = engine.assignment(String(id)).source
    expect((await ask(url)).status).toBe(200)
    await waitFor(() => api.program.stdout().includes('/internal/uploads/'))
    expect(api.program.stdout()).not.toContain('signature')
    expect(api.program.stdout()).not.toContain(token)
  })
})

it('sends engines to API_URL, and answers to its name', async () => {
  const api = await startApiProcess({
    ...ownWorld(inject('postgresUrl')),
    API_URL: 'http://api.internal.example:8000/base/',
  })
  const engine = await startStandInEngine(api.environment)
  try {
    await waitFor(async () => (await api.ask('/v1/engines')).text.includes(engine.id))
    expect((await api.ask('/livez', { headers: { host: 'api.internal.example:8000' } })).status).toBe(200)
    const { id } = (await api.ask('/v1/jobs', asCsv())).json()
    const { url } = engine.assignment(String(id)).source
    expect(url).toMatch(/^http:\/\/api\.internal\.example:8000\/base\/internal\/uploads\//)
  } finally {
    await engine.die()
    await api.stop()
  }
})
