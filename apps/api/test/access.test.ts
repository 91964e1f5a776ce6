import { createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { uniqueName, waitFor } from '@ps/services/vitest'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { type Answer, asCsv, asJson, type AskOptions } from './ask.js'
import { bearer, inSeconds, jwtEnvironment, signToken } from './sign-token.js'
import { openStream } from './test-stream.js'

const codeOf = (answer: Answer): unknown[] => [answer.status, answer.json().code]

describe('with JSON Web Tokens and a shared secret', () => {
  let api: ApiProcess
  beforeAll(async () => {
    api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      ...jwtEnvironment,
      HOST: '0.0.0.0',
      LOG_LEVEL: 'debug',
    })
  })
  afterAll(async () => {
    await api.stop()
  })

  const askAs = async (claims: JWTPayload, path: string, options: AskOptions = {}): Promise<Answer> =>
    api.ask(path, { ...options, headers: { ...options.headers, ...bearer(await signToken(claims)) } })
  const publishAs = (claims: JWTPayload, channel: string): Promise<Answer> =>
    askAs(claims, `/v1/channels/${encodeURIComponent(channel)}/messages`, asJson(1))
  const ticketFor = async (claims: JWTPayload, ...channels: string[]): Promise<Answer> =>
    askAs(claims, '/v1/tickets', asJson({ channels }))
  const streamOf = (ticket: string, query = '') =>
    openStream(`${api.url}/v1/events?ticket=${encodeURIComponent(ticket)}${query}`)

  it.each([
    [['a'], 'a', 202],
    [['a'], 'ab', 403],
    [['a*'], 'a', 202],
    [['a*'], 'abc', 202],
    [['a*'], 'ba', 403],
    [['x', 'a*'], 'ab', 202],
    [['*'], 'anything', 202],
    [['*'], 'jobs', 403],
    [['*'], 'control:engines', 403],
    [['$ps*'], '$ps.recovery', 403],
    [['a*b'], 'a-b', 403],
    [['A'], 'a', 403],
    [[], 'a', 403],
    [undefined, 'a', 403],
    ['a', 'a', 403],
    [[1], '1', 403],
    [{ a: true }, 'a', 403],
  ])('lets the claim publish %j publish on %j with %i', async (publish, channel, status) => {
    expect((await publishAs({ publish, subscribe: ['*'], scope: 'jobs' }, channel)).status).toBe(status)
  })

  it('streams the channels of the claim subscribe, and no stream with one that is not', async () => {
    const claims = { subscribe: ['mine-*'] }
    const token = await signToken(claims)
    const stream = await openStream(`${api.url}/v1/events?channel=mine-1`, bearer(token))
    expect((await stream.untilEvent('ps.hello')).data.channels).toEqual(['mine-1'])
    stream.close()
    const answer = await askAs(claims, '/v1/events?channel=mine-1&channel=yours')
    expect(codeOf(answer)).toEqual([403, 'insufficient_scope'])
    expect(answer.json().detail).toContain('yours')
    expect(answer.headers['www-authenticate']).toBe('Bearer error="insufficient_scope"')
  })

  it.each([
    ['GET', '/v1/jobs', 'jobs', 200],
    ['GET', '/v1/jobs', 'other jobs', 200],
    ['GET', '/v1/jobs', ['jobs'], 200],
    ['GET', '/v1/jobs', undefined, 403],
    ['GET', '/v1/jobs', 'jobs-of-others', 403],
    ['POST', '/v1/jobs', 'metrics', 403],
    ['GET', '/v1/jobs/any', 'metrics', 403],
    ['GET', '/v1/jobs/any/rejects', '', 403],
    ['DELETE', '/v1/jobs/any', '', 403],
    ['GET', '/v1/engines', 'jobs', 200],
    ['GET', '/v1/streams', 'metrics', 200],
    ['GET', '/v1/streams', 'jobs', 403],
    ['GET', '/v1/streams', undefined, 403],
    ['GET', '/v1/engines', '', 403],
    ['GET', '/metrics', 'metrics', 200],
    ['GET', '/metrics', 'jobs', 403],
    ['GET', '/openapi.json', '', 200],
    ['GET', '/docs', '', 200],
  ])('answers %s %s with the scope %j with %i', async (method, path, scope, status) => {
    const answer = await askAs({ scope, publish: ['*'], subscribe: ['*'] }, path, { method })
    expect(answer.status).toBe(status)
  })

  it('ends a stream when its token ends', async () => {
    const token = await signToken({ subscribe: ['*'], exp: inSeconds(5) })
    const stream = await openStream(`${api.url}/v1/events?channel=any`, bearer(token))
    await stream.untilEvent('ps.hello')
    await stream.ended
    expect(stream.events.at(-1)).toEqual({ event: 'ps.bye', data: { reason: 'expired' } })
    const again = await api.ask('/v1/events?channel=any', { headers: bearer(token) })
    expect(codeOf(again)).toEqual([401, 'expired_token'])
  })

  it('opens a stream with a ticket, for its channels only', async () => {
    const [mine, other] = [uniqueName('mine*'), uniqueName('other')]
    const issued = await ticketFor({ subscribe: ['*'] }, mine, other)
    expect(issued.status).toBe(201)
    const { ticket, expires } = issued.json()
    expect(Date.parse(String(expires))).toBeGreaterThan(Date.now())
    const both = await streamOf(String(ticket))
    expect((await both.untilEvent('ps.hello')).data.channels).toEqual([mine, other])
    both.close()
    const one = await streamOf(String(ticket), `&channel=${encodeURIComponent(mine)}`)
    expect((await one.untilEvent('ps.hello')).data.channels).toEqual([mine])
    one.close()
    const foreign = await streamOf(String(ticket), `&channel=${encodeURIComponent(`${mine}more`)}`)
    expect(foreign.status).toBe(403)
    foreign.close()
    expect(api.program.stdout()).not.toContain(String(ticket))
  })

  it('gives no ticket for channels that the token may not read', async () => {
    expect((await ticketFor({ subscribe: ['a'] }, 'a', 'b')).status).toBe(403)
    expect((await ticketFor({ subscribe: ['*'] }, 'control:engines')).status).toBe(403)
    expect((await ticketFor({ subscribe: ['*'] }, 'line\nbreak')).status).toBe(400)
    expect((await ticketFor({ subscribe: ['*'] }, '\ud800')).status).toBe(400)
  })

  it('ends a stream that was opened with a ticket when the token behind the ticket ends', async () => {
    const { ticket } = (await ticketFor({ subscribe: ['*'], exp: inSeconds(5) }, 'any')).json()
    const stream = await streamOf(String(ticket))
    await stream.untilEvent('ps.hello')
    await stream.ended
    expect(stream.events.at(-1)).toEqual({ event: 'ps.bye', data: { reason: 'expired' } })
  })

  it('takes a ticket that another node gave, and none that was given with another secret', async () => {
    const { ticket } = (await ticketFor({ subscribe: ['*'] }, 'any')).json()
    const other = await startApiProcess({ ...ownWorld(inject('postgresUrl')), ...jwtEnvironment })
    const stranger = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      ...jwtEnvironment,
      API_SECRET: 'another-secret-that-is-long-enough',
    })
    try {
      const path = `/v1/events?ticket=${String(ticket)}`
      const stream = await openStream(`${other.url}${path}`)
      expect((await stream.untilEvent('ps.hello')).data.channels).toEqual(['any'])
      stream.close()
      expect(codeOf(await stranger.ask(path))).toEqual([401, 'bad_token'])
    } finally {
      await Promise.all([other.stop(), stranger.stop()])
    }
  })

  it('takes a ticket for a stream only, and nothing else for a ticket', async () => {
    const { ticket } = (await ticketFor({ subscribe: ['*'], scope: 'jobs' }, 'any')).json()
    expect((await api.ask(`/v1/jobs?ticket=${String(ticket)}`)).status).toBe(401)
    expect((await api.ask('/v1/jobs', { headers: bearer(String(ticket)) })).status).toBe(401)
    const token = await signToken({ subscribe: ['*'] })
    for (const wrong of [token, 'x', '', 'a.b.c', `${String(ticket)}x`, `${String(ticket)}&ticket=x`]) {
      const answer = await api.ask(`/v1/events?channel=any&ticket=${wrong}`)
      expect([wrong, ...codeOf(answer)]).toEqual([wrong, 401, 'bad_token'])
    }
  })

  it.each(['token', 'access_token', 'Authorization', 'api_key'])(
    'refuses the token in an address as %s, even with a right header',
    async (name) => {
      const token = await signToken({ subscribe: ['*'], scope: 'jobs' })
      const answer = await api.ask(`/v1/jobs?${name}=${token}`, { headers: bearer(token) })
      expect(codeOf(answer)).toEqual([400, 'token_in_address'])
      expect(answer.text).not.toContain(token)
      expect(api.program.stdout()).not.toContain(token)
    },
  )

  describe('a session', () => {
    const origin = (): string => `http://localhost:${api.port}`
    const begin = async (claims: JWTPayload, headers: AskOptions['headers'] = {}) => {
      const answer = await askAs(claims, '/v1/session', { method: 'POST', headers })
      const [cookie = ''] = answer.headers['set-cookie'] ?? []
      return { answer, cookie, pair: cookie.split(';')[0] ?? '' }
    }
    const own = (pair: string) => ({ host: `localhost:${api.port}`, cookie: pair, origin: origin() })

    it('is a cookie that no script can read and no other site sends, for as long as the token', async () => {
      const { answer, cookie } = await begin({ exp: inSeconds(100) })
      expect(answer.status).toBe(200)
      expect(cookie).toMatch(/^ps-session=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d\d$/)
      expect(Date.parse(String(answer.json().expires))).toBeLessThanOrEqual(Date.now() + 100_000)
      const long = await begin({ exp: inSeconds(10 ** 6) })
      expect(Number(/Max-Age=(\d+)/.exec(long.cookie)?.[1])).toBeLessThanOrEqual(12 * 60 * 60)
      const secure = await begin({}, { origin: 'https://localhost', host: 'localhost' })
      expect(secure.cookie).toMatch(/^__Host-ps-session=.*; Secure$/)
      expect(api.program.stdout()).not.toContain(cookie.slice(20, 60))
    })

    it('is refused where a browser would not keep it', async () => {
      const channels = (count: number) =>
        Array.from({ length: count }, (_, index) => `orders:${index + 1_000}`)
      expect((await begin({ subscribe: channels(100) })).answer.status).toBe(200)
      const { answer } = await begin({ subscribe: channels(300) })
      expect(codeOf(answer)).toEqual([400, 'too_long_for_cookie'])
      expect(answer.headers).not.toHaveProperty('set-cookie')
    })

    it('may what its token may, for pages of ours', async () => {
      const { pair } = await begin({ scope: 'jobs', publish: ['a'], subscribe: ['a'] })
      const publish = (channel: string) =>
        api.ask(`/v1/channels/${channel}/messages`, {
          ...asJson(1),
          headers: { 'content-type': 'application/json', ...own(pair) },
        })
      expect((await api.ask('/v1/jobs', { headers: { cookie: `other=1; ${pair}` } })).status).toBe(200)
      expect((await api.ask('/metrics', { headers: { cookie: pair } })).status).toBe(403)
      expect((await publish('a')).status).toBe(202)
      expect((await publish('b')).status).toBe(403)
      const stream = await openStream(`${api.url}/v1/events?channel=a`, {
        cookie: pair,
        'sec-fetch-site': 'same-origin',
      })
      await stream.untilEvent('ps.hello')
      stream.close()
      const ticket = await api.ask('/v1/tickets', {
        ...asJson({ channels: ['a'] }),
        headers: { 'content-type': 'application/json', ...own(pair) },
      })
      expect(ticket.status).toBe(201)
    })

    it.each([
      ['nothing that says where it comes from', {}],
      ['another site', { origin: 'https://evil.example' }],
      ['another port of this machine', { origin: 'http://localhost:1' }],
      ['no origin at all', { origin: 'null' }],
      ['a sibling site', { 'sec-fetch-site': 'same-site' }],
      ['what a browser marks as cross-site', { 'sec-fetch-site': 'cross-site' }],
    ])('changes nothing from %s', async (_, headers) => {
      const { pair } = await begin({ scope: 'jobs', publish: ['*'] })
      for (const [method, path, options] of [
        ['POST', '/v1/channels/a/messages', asJson(1)],
        ['POST', '/v1/jobs', asCsv()],
        ['DELETE', '/v1/jobs/any', {}],
        ['POST', '/v1/tickets', asJson({ channels: ['a'] })],
      ] as const) {
        const answer = await api.ask(path, {
          ...options,
          method,
          headers: { ...options.headers, cookie: pair, ...headers },
        })
        expect([path, ...codeOf(answer)]).toEqual([path, 403, 'foreign_origin'])
      }
    })

    it('is forgotten when asked, does not prolong itself, and is believed only as we wrote it', async () => {
      const { pair } = await begin({ scope: 'jobs' })
      const ended = await api.ask('/v1/session', { method: 'DELETE', headers: own(pair) })
      expect(ended.status).toBe(204)
      expect(ended.headers['set-cookie']?.every((cookie) => cookie.includes('Max-Age=0'))).toBe(true)
      expect((await api.ask('/v1/session', { method: 'POST', headers: own(pair) })).status).toBe(401)
      const token = await signToken({ scope: 'jobs' })
      for (const cookie of [`${pair}x`, `ps-session=${token}`, 'ps-session', 'ps-session=', '=;;=', ';']) {
        const answer = await api.ask('/v1/jobs', { headers: { cookie } })
        expect([cookie, answer.status]).toEqual([cookie, 401])
      }
    })
  })
})

describe('with the public keys of an issuer', () => {
  const issuer = { API_JWT_ISSUER: 'https://issuer.example', API_JWT_AUDIENCE: 'api-of-tests' }

  it('takes what was signed with one of them, and nothing that misuses them', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const [stranger, another] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')]
    const jwk = { ...(await exportJWK(publicKey)), kid: 'first', alg: 'ES256' }
    const anotherJwk = { ...(await exportJWK(another.publicKey)), kid: 'second', alg: 'ES256' }
    let isUp = false
    const keys = createServer((_request, response) => {
      response.writeHead(isUp ? 200 : 500, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ keys: [jwk, anotherJwk] }))
    })
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve))
    const { port } = keys.address() as AddressInfo
    const api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      ...issuer,
      API_JWKS_URL: `http://127.0.0.1:${port}/keys`,
      API_SECRET: 'a-secret-for-tickets-that-is-long-enough',
    })
    const claims = {
      iss: issuer.API_JWT_ISSUER,
      aud: issuer.API_JWT_AUDIENCE,
      exp: inSeconds(600),
      scope: 'jobs',
      subscribe: ['a'],
    }
    const jobsWith = (token: string): Promise<Answer> => api.ask('/v1/jobs', { headers: bearer(token) })
    try {
      const sign = (key: typeof privateKey | Uint8Array, header: { alg: string; kid?: string }) =>
        new SignJWT(claims).setProtectedHeader(header).sign(key)
      const right = await sign(privateKey, { alg: 'ES256', kid: 'first' })
      expect(codeOf(await jobsWith(right))).toEqual([503, 'no_keys'])
      await api.program.waitForOutput(/the keys at API_JWKS_URL cannot be had/)
      isUp = true
      await waitFor(async () => (await jobsWith(right)).status === 200)
      // A token need not name its key.
      for (const key of [privateKey, another.privateKey])
        expect((await jobsWith(await sign(key, { alg: 'ES256' }))).status).toBe(200)
      const asSecret = new TextEncoder().encode(await exportSPKI(publicKey))
      for (const wrong of [
        await sign(stranger.privateKey, { alg: 'ES256', kid: 'first' }),
        await sign(stranger.privateKey, { alg: 'ES256' }),
        await sign(another.privateKey, { alg: 'ES256', kid: 'first' }),
        await sign(privateKey, { alg: 'ES256', kid: 'other' }),
        await sign(asSecret, { alg: 'HS256', kid: 'first' }),
        await signToken({ scope: 'jobs' }),
      ]) {
        expect(codeOf(await jobsWith(wrong))).toEqual([401, 'bad_token'])
      }
      const asked = asJson({ channels: ['a'] })
      const issued = await api.ask('/v1/tickets', {
        ...asked,
        headers: { ...asked.headers, ...bearer(right) },
      })
      const stream = await openStream(`${api.url}/v1/events?ticket=${String(issued.json().ticket)}`)
      await stream.untilEvent('ps.hello')
      stream.close()
    } finally {
      await api.stop()
      keys.close()
    }
  })

  it('listens to nothing for somebody who goes while their token is checked', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = { ...(await exportJWK(publicKey)), kid: 'first', alg: 'ES256' }
    const asked: ServerResponse[] = []
    const keys = createServer((_request, response) => void asked.push(response))
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve))
    const { port } = keys.address() as AddressInfo
    const api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      ...issuer,
      API_JWKS_URL: `http://127.0.0.1:${port}/keys`,
      API_SECRET: 'a-secret-for-tickets-that-is-long-enough',
      API_STREAM_LINGER: '0',
      LOG_LEVEL: 'debug',
    })
    try {
      const token = await new SignJWT({
        iss: issuer.API_JWT_ISSUER,
        aud: issuer.API_JWT_AUDIENCE,
        exp: inSeconds(600),
        scope: 'metrics',
        subscribe: ['a'],
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'first' })
        .sign(privateKey)
      const sent = request(`${api.url}/v1/events?channel=a`, { headers: bearer(token), agent: false })
      sent.on('error', () => {})
      sent.end()
      const [answer] = await waitFor(() => (asked.length > 0 ? asked : undefined))
      sent.destroy()
      await api.program.waitForOutput(/"path":"\/v1\/events"[^\n]*"msg":"answered"/)
      answer?.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }))
      const { text } = await api.ask('/metrics', { headers: bearer(token) })
      expect(text).toMatch(/^api_channels 0$/m)
    } finally {
      await api.stop()
      keys.close()
    }
  })
})

describe('pages of other sites', () => {
  let api: ApiProcess
  beforeAll(async () => {
    api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      ...jwtEnvironment,
      API_CORS_ORIGINS: 'https://app.example, http://localhost:5173',
    })
  })
  afterAll(async () => {
    await api.stop()
  })
  const from = (origin: string) => ({ origin, 'sec-fetch-site': 'cross-site' })

  it('may ask with a token where they are allowed to, and read the answer, also where it is an error', async () => {
    const headers = {
      ...bearer(await signToken({ scope: 'jobs', subscribe: ['a'] })),
      ...from('https://app.example'),
    }
    for (const [path, status] of [
      ['/v1/jobs', 200],
      ['/metrics', 403],
      ['/v1/nothing', 404],
    ] as const) {
      const answer = await api.ask(path, { headers })
      expect([path, answer.status]).toEqual([path, status])
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': 'https://app.example',
        vary: 'origin',
      })
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
    }
    const stream = await openStream(`${api.url}/v1/events?channel=a`, headers)
    expect(stream.headers['access-control-allow-origin']).toBe('https://app.example')
    stream.close()
  })

  it('are told before whether they may ask', async () => {
    const ask = (origin: string) =>
      api.ask('/v1/jobs', {
        method: 'OPTIONS',
        headers: { ...from(origin), 'access-control-request-method': 'POST' },
      })
    const allowed = await ask('http://localhost:5173')
    expect([allowed.status, allowed.text]).toEqual([204, ''])
    expect(allowed.headers['access-control-allow-headers']).toContain('authorization')
    const refused = await ask('https://evil.example')
    expect(refused.status).toBe(403)
    expect(refused.headers).not.toHaveProperty('access-control-allow-origin')
  })

  it('may not use a cookie, nor what no site was allowed', async () => {
    const token = await signToken({ scope: 'jobs' })
    const begun = await api.ask('/v1/session', { method: 'POST', headers: bearer(token) })
    const cookie = begun.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    expect((await api.ask('/v1/jobs', { headers: { cookie } })).status).toBe(200)
    expect((await api.ask('/v1/jobs', { headers: { cookie, ...from('https://app.example') } })).status).toBe(
      403,
    )
    for (const origin of [
      'https://app.example.evil',
      'http://app.example',
      'https://app.example:444',
      'null',
    ]) {
      const answer = await api.ask('/v1/jobs', { headers: { ...bearer(token), ...from(origin) } })
      expect([origin, answer.status]).toEqual([origin, 403])
    }
  })
})

describe('who asks too often', () => {
  it('is told when to come back, each token and each address for itself', async () => {
    const api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      ...jwtEnvironment,
      API_CREDENTIAL_RATE: '5',
      API_ADDRESS_RATE: '30',
      API_TRUSTED_PROXIES: '127.0.0.1',
    })
    try {
      const [one, other] = [
        bearer(await signToken({ sub: 'one', scope: 'jobs', subscribe: ['a'] })),
        bearer(await signToken({ sub: 'other', scope: 'jobs' })),
      ]
      for (let count = 0; count < 5; count += 1) {
        expect((await api.ask('/v1/jobs', { headers: one })).status).toBe(200)
      }
      const refused = await api.ask('/v1/jobs', { headers: one })
      expect(codeOf(refused)).toEqual([429, 'too_many_requests'])
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
      expect((await api.ask('/v1/jobs', { headers: other })).status).toBe(200)
      const again = bearer(await signToken({ sub: 'one', scope: 'jobs', exp: inSeconds(1_000) }))
      expect((await api.ask('/v1/jobs', { headers: again })).status).toBe(429)

      const stream = await openStream(`${api.url}/v1/events?channel=a`, {
        ...one,
        accept: 'text/event-stream',
      })
      await stream.ended
      expect([stream.status, stream.events]).toEqual([200, [{ event: 'ps.bye', data: { reason: 'limit' } }]])
      expect(Number(/^retry: (\d+)\n/.exec(stream.beginning())?.[1])).toBeGreaterThan(1_000)
      // What is no stream is not taken for done by who would read one.
      const publish = asJson(1)
      const refusedPublish = await api.ask('/v1/channels/a/messages', {
        ...publish,
        headers: { ...publish.headers, ...one, accept: 'application/json, text/event-stream' },
      })
      expect(codeOf(refusedPublish)).toEqual([429, 'too_many_requests'])

      await waitFor(async () => (await api.ask('/livez')).status === 429)
      const elsewhere = { 'x-forwarded-for': '192.0.2.1' }
      expect((await api.ask('/livez', { headers: elsewhere })).status).toBe(200)
    } finally {
      await api.stop()
    }
  })
})

it('shows /metrics and /docs to everyone where it is told to', async () => {
  const api = await startApiProcess({
    ...ownWorld(inject('postgresUrl')),
    API_TOKEN: 'a-token',
    API_METRICS_PUBLIC: 'on',
    API_DOCS_PUBLIC: 'on',
  })
  try {
    for (const path of ['/metrics', '/docs', '/docs/json', '/openapi.json']) {
      expect([path, (await api.ask(path)).status]).toEqual([path, 200])
    }
    expect((await api.ask('/v1/jobs')).status).toBe(401)
  } finally {
    await api.stop()
  }
})
