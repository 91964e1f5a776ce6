import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { uniqueName, waitFor } from '@ps/services/vitest'
import { UnsecuredJWT, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { type Answer, asCsv, asJson, type AskOptions } from './ask.js'
import { openRawConnection } from './raw-connection.js'
import { bearer, inSeconds, jwtEnvironment, jwtSecret, signToken } from './sign-token.js'
import { type StandInEngine, startStandInEngine } from './stand-in-engine.js'
import { openStream } from './test-stream.js'

const maxUploadBytes = 100_000
const requestTimeout = 1_500

describe('whatever is sent to the api', () => {
  let api: ApiProcess
  let engine: StandInEngine
  let everything: { readonly authorization: string }
  beforeAll(async () => {
    api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      ...jwtEnvironment,
      API_TOKEN: 'the-token-of-bad-input',
      API_MAX_UPLOAD_BYTES: String(maxUploadBytes),
      API_MAX_STORED_BYTES: String(maxUploadBytes + 50_000),
      API_REQUEST_TIMEOUT: String(requestTimeout),
      API_ADDRESS_RATE: '0',
      API_CREDENTIAL_RATE: '0',
    })
    engine = await startStandInEngine(api.environment)
    everything = bearer(
      await signToken({ publish: ['*'], subscribe: ['*'], scope: 'jobs metrics', exp: inSeconds(3_600) }),
    )
    await waitFor(async () => (await askAs('/v1/engines')).text.includes(engine.id))
  })
  afterAll(async () => {
    await engine.die()
    await api.stop()
  })

  const askAs = (path: string, options: AskOptions = {}): Promise<Answer> =>
    api.ask(path, { ...options, headers: { ...everything, ...options.headers } })
  const expectProblem = ({ status, headers, json }: Answer, wanted: number): void => {
    expect([status, headers['content-type']]).toEqual([wanted, 'application/problem+json'])
    expect(json()).toMatchObject({ type: 'about:blank', status: wanted, detail: expect.any(String) })
  }
  const uploads = (): string[] => readdirSync(join(api.dataFolder, 'uploads'))

  const credentials: Readonly<Record<string, () => Promise<string | undefined> | string | undefined>> = {
    nothing: () => undefined,
    'an empty header': () => '',
    'a scheme alone': () => 'Bearer',
    'another scheme': () => 'Basic dXNlcjpwYXNzd29yZA==',
    garbage: () => 'Bearer garbage',
    'three empty parts': () => 'Bearer ..',
    'a very long token': () => `Bearer ${'x'.repeat(8_000)}`,
    'the beginning of the API_TOKEN': () => 'Bearer the-token-of-bad',
    'two tokens': async () => `Bearer ${await signToken()} ${await signToken()}`,
    'an expired token': async () => `Bearer ${await signToken({ exp: inSeconds(-1) })}`,
    'a token of later': async () => `Bearer ${await signToken({ nbf: inSeconds(60) })}`,
    'a token without an end': async () => `Bearer ${await signToken({}, jwtSecret, 'exp')}`,
    'a token for others': async () => `Bearer ${await signToken({ aud: 'others' })}`,
    'a token for nobody': async () => `Bearer ${await signToken({}, jwtSecret, 'aud')}`,
    'a token of another issuer': async () => `Bearer ${await signToken({ iss: 'https://evil.example' })}`,
    'a token of no issuer': async () => `Bearer ${await signToken({}, jwtSecret, 'iss')}`,
    'a token signed by somebody else': async () =>
      `Bearer ${await signToken({}, 'another secret that is long enough')}`,
    'a token that is not signed': () =>
      `Bearer ${new UnsecuredJWT({ exp: inSeconds(60), scope: 'jobs' })
        .setIssuer(jwtEnvironment.API_JWT_ISSUER)
        .setAudience(jwtEnvironment.API_JWT_AUDIENCE)
        .encode()}`,
    'a token of another algorithm': async () => {
      const signer = new SignJWT({ scope: 'jobs' })
        .setProtectedHeader({ alg: 'HS512' })
        .setIssuer(jwtEnvironment.API_JWT_ISSUER)
        .setAudience(jwtEnvironment.API_JWT_AUDIENCE)
        .setExpirationTime('1m')
      return `Bearer ${await signer.sign(new TextEncoder().encode(jwtSecret.padEnd(64, 'x')))}`
    },
    'a token with other claims than were signed': async () => {
      const [header, , signature] = (await signToken()).split('.')
      const claims = {
        iss: jwtEnvironment.API_JWT_ISSUER,
        aud: jwtEnvironment.API_JWT_AUDIENCE,
        exp: inSeconds(60),
        scope: 'jobs',
      }
      return `Bearer ${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
    },
    'a token whose subject is a number': async () =>
      `Bearer ${await signToken({ sub: 7 as unknown as string, scope: 'jobs' })}`,
    'a token without its signature': async () => `Bearer ${(await signToken()).replace(/[^.]+$/, '')}`,
  }
  const guarded: readonly (readonly [string, string])[] = [
    ['GET', '/v1/jobs'],
    ['POST', '/v1/jobs'],
    ['DELETE', '/v1/jobs/any'],
    ['GET', '/v1/jobs/any/rejects'],
    ['GET', '/v1/engines'],
    ['GET', '/v1/events?channel=any'],
    ['POST', '/v1/channels/any/messages'],
    ['POST', '/v1/tickets'],
    ['POST', '/v1/session'],
    ['GET', '/metrics'],
    ['GET', '/docs'],
    ['GET', '/openapi.json'],
    ['GET', '/v1/nothing'],
  ]
  const authCases = Object.keys(credentials).flatMap((credential) =>
    guarded.map(([method, path]) => [credential, method, path] as const),
  )
  it.each(authCases)('with %s: %s %s is 401', async (credential, method, path) => {
    const authorization = await credentials[credential]?.()
    const answer = await api.ask(path, {
      method,
      headers: authorization === undefined ? {} : { authorization },
    })
    expectProblem(answer, 401)
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer\b/)
  })

  it.each([
    ['GET', '/v1/jobs', {}],
    ['POST', '/v1/jobs', asCsv()],
    ['DELETE', '/v1/jobs/any', {}],
    ['GET', '/v1/engines', {}],
    ['GET', '/metrics', {}],
    ['GET', '/v1/events?channel=any', {}],
    ['POST', '/v1/channels/any/messages', asJson(1)],
    ['POST', '/v1/tickets', asJson({ channels: ['any'] })],
  ] as const)('with a token for nothing: %s %s is 403', async (method, path, options) => {
    const headers = { ...('headers' in options && options.headers), ...bearer(await signToken()) }
    const answer = await api.ask(path, { ...options, method, headers })
    expectProblem(answer, 403)
    expect(answer.json().code).toBe('insufficient_scope')
  })

  it.each([
    ['PUT', '/v1/jobs', 405],
    ['PATCH', '/v1/jobs/any', 405],
    ['POST', '/v1/engines', 405],
    ['DELETE', '/v1/events', 405],
    ['GET', '/v1/tickets', 405],
    ['PUT', '/v1/session', 405],
    ['GET', '/v1/channels/any/messages', 405],
    ['POST', '/livez', 405],
    ['DELETE', '/', 405],
    ['OPTIONS', '/v1/jobs', 405],
    ['TRACE', '/v1/jobs', 405],
    ['PROPFIND', '/v1/jobs', 405],
    ['GET', '/v1', 404],
    ['GET', '/v1/jobs/', 400],
    ['GET', '/V1/JOBS', 404],
    ['GET', '/v1//jobs', 404],
    ['GET', '/v1/jobs/any/more', 404],
    ['POST', '/v1/channels//messages', 400],
    ['GET', '/.env', 404],
    ['GET', '/.git/config', 404],
    ['GET', '/assets/', 404],
    ['GET', '/assets/nothing.js', 404],
    ['GET', '/assets/%2e%2e/main.js', 404],
    ['GET', '/assets/..%2f..%2fpackage.json', 404],
    ['GET', '/assets/..%5c..%5cmain.js', 404],
    ['GET', '/assets/main.js%00.css', 404],
    ['GET', '/assets/%2fetc%2fpasswd', 404],
    ['GET', '/docs/static/..%2f..%2f..%2fpackage.json', 404],
    ['GET', '/v1/jobs/..%2f..%2fsecret', 400],
    ['GET', '/v1/jobs/%00', 400],
    ['GET', '/v1/jobs/a%2fb', 400],
    ['GET', '/v1/jobs/%2e%2e%2f%2e%2e/rejects', 400],
    ['GET', '//evil.example/livez', 404],
    ['GET', '/livez;x=1', 404],
    ['GET', '/v1%2fjobs', 404],
    ['GET', '/v1/jobs/a%0d%0ax-injected:%201', 400],
    ['DELETE', '/v1/jobs/a%0ab', 400],
    ['GET', '/v1/jobs/__proto__', 404],
    ['GET', `/v1/jobs/${'x'.repeat(101)}`, 400],
    ['GET', `/v1/jobs/${'x'.repeat(5_000)}`, 414],
    ['GET', '/v1/jobs/%', 400],
    ['GET', '/v1/jobs/%ff', 400],
    ['GET', '/v1/jobs/%ed%a0%80', 400],
    ['GET', '/internal/uploads/..%2fsecret', 403],
    ['GET', '/internal/uploads/any?expires=NaN&signature=', 403],
    ['GET', '/internal/uploads/any?expires[]=1&signature[]=1', 403],
    ['GET', '/v1/events', 400],
    ['GET', '/v1/events?channel=', 400],
    ['GET', '/v1/events?channel=a%0d%0adata:%20x', 400],
    ['GET', '/v1/events?channel=a%0aevent:%20ps.bye', 400],
    ['GET', '/v1/events?channel=%1b[2J', 400],
    ['GET', '/v1/events?channel=%c2%85', 400],
    ['GET', '/v1/events?channel=%7f', 400],
    ['GET', '/v1/events?channel=control:engines', 403],
    ['GET', '/v1/events?channel=$ps.recovery', 403],
    ['GET', `/v1/events?channel=${'%C3%BC'.repeat(128)}`, 400],
    ['GET', '/v1/events?channel=a&ticket=a&ticket=b', 401],
    ['GET', '/v1/jobs?access_token=x', 400],
  ])('%s %s is %i', async (method, path, status) => {
    expectProblem(await askAs(path, { method }), status)
  })

  const json = { 'content-type': 'application/json' }
  const publish = '/v1/channels/any/messages'
  const job = (change: object): string =>
    JSON.stringify({ kind: 'profile', source: { url: 'http://8.8.8.8/a.csv' }, ...change })
  it.each([
    [publish, json, '', 400],
    [publish, json, '{', 400],
    [publish, json, '{"a":1}}', 400],
    [publish, json, "{'a':1}", 400],
    [publish, json, '[1,]', 400],
    [publish, json, 'NaN', 400],
    [publish, json, '"\u0001"', 400],
    [publish, json, '\ufeff1', 400],
    [publish, json, '['.repeat(100_000) + ']'.repeat(100_000), 400],
    [publish, json, Buffer.from([0x22, 0xff, 0xfe]), 400],
    [publish, json, Buffer.from([0x22, 0xff, 0x22]), 400],
    [publish, json, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 400],
    [publish, json, JSON.stringify('x'.repeat(1024 ** 2)), 413],
    [publish, json, ' '.repeat(3 * 1024 ** 2), 413],
    [publish, {}, '1', 415],
    [publish, { 'content-type': 'text/plain' }, '1', 415],
    [publish, { 'content-type': 'application/jsonx' }, '1', 415],
    [publish, { 'content-type': 'application/xml' }, '<a/>', 415],
    [publish, { 'content-type': '' }, '1', 415],
    [publish, { 'content-type': ';;;' }, '1', 415],
    [publish, { 'content-type': 'application/x-www-form-urlencoded' }, 'a=1', 415],
    [publish, { 'content-type': 'multipart/form-data; boundary=x' }, '--x--', 415],
    ['/v1/channels/a%0d%0ab/messages', json, '1', 400],
    ['/v1/channels/a%00b/messages', json, '1', 400],
    ['/v1/channels/%09/messages', json, '1', 400],
    ['/v1/channels/%00/messages', json, '1', 400],
    ['/v1/channels/a%2f..%2f%00/messages', json, '1', 400],
    ['/v1/channels/a/b/messages', json, '1', 404],
    ['/v1/channels/%c2%9b/messages', json, '1', 400],
    ['/v1/channels/control:engines/messages', json, '1', 403],
    ['/v1/channels/jobs/messages', json, '1', 403],
    ['/v1/tickets', json, '{}', 400],
    ['/v1/tickets', json, 'null', 400],
    ['/v1/tickets', json, '{"channels":[]}', 400],
    ['/v1/tickets', json, '{"channels":[{}]}', 400],
    ['/v1/tickets', json, '{"channels":["a\\r\\nb"]}', 400],
    ['/v1/tickets', json, '{"channels":["\\ud800"]}', 400],
    ['/v1/tickets', json, '{"channels":["a"],"more":1}', 400],
    ['/v1/tickets', json, '{"channels":["a"],"__proto__":{}}', 400],
    ['/v1/tickets', json, JSON.stringify({ channels: Array.from({ length: 65 }, String) }), 400],
    ['/v1/tickets', {}, 'x', 415],
    ['/v1/session', json, '{', 400],
    ['/v1/jobs', json, '{', 400],
    ['/v1/jobs', json, 'null', 400],
    ['/v1/jobs', json, '[]', 400],
    ['/v1/jobs', json, job({ kind: '../profile' }), 400],
    ['/v1/jobs', json, job({ kind: 'profile\r\n' }), 400],
    ['/v1/jobs', json, job({ more: 1 }), 400],
    ['/v1/jobs', json, job({ source: { path: '/etc/passwd' } }), 400],
    ['/v1/jobs', json, job({ source: { url: 'file:///etc/passwd' } }), 400],
    ['/v1/jobs', json, job({ source: { url: 'http://[::1]/' } }), 400],
    ['/v1/jobs', json, job({ source: { url: 'http://127.0.0.1:1\r\nhost: x/' } }), 400],
    ['/v1/jobs', json, job({ source: { url: `http://8.8.8.8/${'x'.repeat(8_192)}` } }), 400],
    ['/v1/jobs', json, job({ source: { upload: '../../secret' } }), 400],
    ['/v1/jobs', json, '{"kind":"profile","source":{"url":"http://8.8.8.8/"},"__proto__":{"x":1}}', 400],
    ['/v1/jobs', { 'content-type': 'text/csv' }, 'x'.repeat(maxUploadBytes + 1), 413],
    ['/v1/jobs', { 'content-type': 'text/csv', 'content-encoding': 'gzip' }, 'x', 415],
    ['/v1/jobs', { 'content-type': 'image/png' }, 'x', 415],
    ['/v1/jobs', {}, 'x', 415],
    ['/v1/jobs?name=a&name=b', { 'content-type': 'text/csv' }, 'a\n1\n', 400],
  ] as const)(
    'POST %s with %j and a body is answered as it should be',
    async (path, headers, body, status) => {
      expectProblem(await askAs(path, { method: 'POST', headers, body }), status)
    },
  )

  it('takes a file whose name is an attack, and gives it a harmless one', async () => {
    const name = encodeURIComponent('../../etc/"pass\r\nwd\u202e\u0000.csv')
    const answer = await askAs(`/v1/jobs?name=${name}`, asCsv())
    expect([answer.status, answer.json().name]).toEqual([202, '"passwd.csv'])
    await engine.tell(String(answer.json().id), { state: 'failed', error: 'no' })
    await waitFor(() => uploads().length === 0)
  })

  it('refuses a file for which there is no room with those that are kept, and takes it when there is', async () => {
    const body = 'x'.repeat(80_000)
    const kept = await askAs('/v1/jobs', asCsv(body))
    expect(kept.status).toBe(202)
    const told = await askAs('/v1/jobs', asCsv(body))
    expectProblem(told, 507)
    const found = await askAs('/v1/jobs', {
      ...asCsv(body),
      headers: { 'content-type': 'text/csv', 'transfer-encoding': 'chunked' },
    })
    expectProblem(found, 507)
    expect(uploads()).toHaveLength(1)
    await engine.tell(String(kept.json().id), { state: 'failed', error: 'no' })
    await waitFor(() => uploads().length === 0)
    const later = await askAs('/v1/jobs', asCsv(body))
    expect(later.status).toBe(202)
    await engine.tell(String(later.json().id), { state: 'failed', error: 'no' })
  })

  const line = 'GET /livez HTTP/1.1\r\nhost: localhost\r\n'
  const post =
    'POST /v1/channels/any/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'
  const authorized = (sent: string): string =>
    sent
      .replace('AUTHORIZATION', everything.authorization)
      .replace(/^AUTHORIZED([^\r]*\r\n)/, `$1authorization: ${everything.authorization}\r\n`)
  it.each<readonly [string, string | Buffer, number]>([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['the beginning of TLS', Buffer.from('16030100f4010000f00303', 'hex'), 400],
    ['the beginning of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a method that there is not', 'BREW / HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
    ['a method in lower case', 'get / HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
    ['a version that there is not', 'GET / HTTP/9.9\r\nhost: localhost\r\n\r\n', 400],
    ['no Host', 'GET /livez HTTP/1.1\r\n\r\n', 400],
    ['no Host in HTTP/1.0', 'GET /livez HTTP/1.0\r\n\r\n', 400],
    ['an address and no more', 'GET /livez\r\n\r\n', 400],
    ['an empty Host', 'GET /livez HTTP/1.1\r\nhost:\r\n\r\n', 421],
    ['two Hosts in one', 'GET /livez HTTP/1.1\r\nhost: localhost, evil.example\r\n\r\n', 421],
    ['a Host with a path', 'GET /livez HTTP/1.1\r\nhost: localhost/livez\r\n\r\n', 421],
    [
      'the address of another server',
      `GET http://evil.example/livez HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      400,
    ],
    [
      'the address of ours for another',
      `GET http://localhost/livez HTTP/1.1\r\nhost: evil.example\r\n\r\n`,
      400,
    ],
    [
      'an address with a user',
      `GET http://user:the-password-in-it@localhost/x HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      400,
    ],
    ['an address without a slash', 'GET livez HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
    [
      'an address of the server as a whole',
      `OPTIONS * HTTP/1.1\r\nhost: localhost\r\nauthorization: AUTHORIZATION\r\n\r\n`,
      404,
    ],
    ['who takes it for a proxy', 'CONNECT evil.example:443 HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
    ['lines that end with a line feed', 'GET /livez HTTP/1.1\nhost: localhost\n\n', 400],
    ['lines that end with a carriage return', 'GET /livez HTTP/1.1\rhost: localhost\r\r', 400],
    ['a header with a carriage return', `${line}x: a\rb\r\n\r\n`, 400],
    ['more headers than anybody has', `${line}${'x:\r\n'.repeat(2_500)}\r\n`, 431],
    [
      'a Host behind more headers',
      `GET /livez HTTP/1.1\r\n${'x:\r\n'.repeat(2_500)}host: localhost\r\n\r\n`,
      431,
    ],
    [
      'trailers that are none',
      `AUTHORIZED${post}transfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nnonsense\r\n\r\n`,
      400,
    ],
    [
      'trailers without end',
      `AUTHORIZED${post}transfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ['two Hosts', `${line}host: evil.example\r\n\r\n`, 400],
    ['another Host', 'GET /livez HTTP/1.1\r\nhost: evil.example\r\n\r\n', 421],
    ['a Host with a user', 'GET /livez HTTP/1.1\r\nhost: localhost@evil.example\r\n\r\n', 421],
    ['a header without a colon', `${line}nonsense\r\n\r\n`, 400],
    ['a header with NUL', `${line}x: a\0b\r\n\r\n`, 400],
    ['a header with a space in its name', `${line}x y: 1\r\n\r\n`, 400],
    ['a header that goes on in the next line', `${line}x: 1\r\n 2: 3\r\ncontent-length : 4\r\n\r\n`, 400],
    ['headers without end', `${line}x: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['an address without end', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 431],
    ...(
      [
        ['/v1/jobs/..', 400],
        ['/v1/jobs/%2e%2e', 400],
        ['/v1/../livez', 404],
        ['/v1/%2e%2e/livez', 404],
        ['/assets/../livez', 404],
        ['/v1/channels/../../livez', 404],
        ['/v1/channels/%2e%2e/jobs', 404],
      ] as const
    ).map(
      ([path, status]) =>
        [`the address ${path}`, `AUTHORIZEDGET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`, status] as const,
    ),
    ['an address with a space', 'GET /a b HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
    ['an address with a control character', 'GET /a\x01b HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
    ['an expectation that nobody meets', `${line}expect: miracles\r\nconnection: close\r\n\r\n`, 417],
    ['two lengths', `${post}content-length: 1\r\ncontent-length: 2\r\n\r\n1`, 400],
    ['a length and chunks', `${post}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['a length below zero', `${post}content-length: -1\r\n\r\n`, 400],
    ['a length that is no number', `${post}content-length: 1x\r\n\r\n1`, 400],
    ['a length beyond all numbers', `${post}content-length: ${'9'.repeat(30)}\r\n\r\n1`, 400],
    ['chunks under another name', `${post}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    ['chunks that are not last', `${post}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`, 400],
    [
      'a chunk without a size',
      `AUTHORIZED${post}transfer-encoding: chunked\r\n\r\nzz\r\n1\r\n0\r\n\r\n`,
      400,
    ],
    [
      'a chunk with extensions without end',
      `AUTHORIZED${post}transfer-encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n1\r\n0\r\n\r\n`,
      413,
    ],
  ])('answers %s', async (_, sent, status) => {
    const connection = await openRawConnection(api.port)
    connection.write(typeof sent === 'string' ? authorized(sent) : sent)
    const answer = await waitFor(() => /^HTTP\/1\.1 (\d+)[^]*?\r\n\r\n\{[^]*\}/.exec(connection.text()))
    connection.socket.destroy()
    expect(Number(answer[1])).toBe(status)
    expect(answer[0]).toContain('content-type: application/problem+json')
  })

  const smuggled = 'GET /v1/jobs HTTP/1.1\r\nhost: localhost\r\n\r\n'
  it.each([
    ['a length, then chunks', 'content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['chunks, then a length', 'transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n'],
    ['two codings', 'transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n'],
    ['a coding behind a space', 'transfer-encoding : chunked\r\n\r\n0\r\n\r\n'],
    ['a coding behind a control character', 'transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n'],
    ['a coding in the next line', 'transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n'],
    ['two equal lengths', 'content-length: 1\r\ncontent-length: 1\r\n\r\n1'],
    ['a list of lengths', 'content-length: 1, 1\r\n\r\n1'],
    ['a hexadecimal length', 'content-length: 0x1\r\n\r\n1'],
    ['a length with a sign', 'content-length: +1\r\n\r\n1'],
    ['a chunk of a size below zero', 'transfer-encoding: chunked\r\n\r\n-1\r\n1\r\n0\r\n\r\n'],
    ['a chunk beyond all numbers', `transfer-encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\n1\r\n0\r\n\r\n`],
    ['a chunk that is longer than it says', 'transfer-encoding: chunked\r\n\r\n1\r\n123\r\n0\r\n\r\n'],
  ])('takes nothing behind %s for a request', async (_, rest) => {
    const connection = await openRawConnection(api.port)
    connection.socket.on('error', () => {})
    connection.write(`${post}authorization: ${everything.authorization}\r\n${rest}${smuggled}`)
    const text = await connection.untilEnd()
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['400'])
  })

  const upgrade =
    'connection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nupgrade:'
  const chunks = 'transfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n'
  it.each([
    ['an address with our own name', 'GET http://localhost/livez HTTP/1.1\r\nhost: localhost\r\n\r\n', '200'],
    ['HTTP/1.0 with a Host', 'GET /livez HTTP/1.0\r\nhost: localhost\r\n\r\n', '200'],
    ['who would rather speak HTTP/2', `${line}${upgrade} h2c\r\n\r\n`, '200'],
    [
      'who would rather have a WebSocket',
      `${line}${upgrade} websocket\r\nsec-websocket-version: 13\r\n\r\n`,
      '200',
    ],
    ['many headers', `${line}${'x:\r\n'.repeat(200)}\r\n`, '200'],
    ['a body where there is none to be', `${line}content-length: 3\r\n\r\nabc`, '200'],
    [
      'trailers that would be headers',
      `AUTHORIZED${post}${chunks}host: evil.example\r\nauthorization: x\r\n\r\n`,
      '202',
    ],
    [
      'who waits to be asked for the body',
      `AUTHORIZED${post}expect: 100-continue\r\ncontent-length: 1\r\n\r\n1`,
      '100,202',
    ],
    ['who waits, and may not', `${post}expect: 100-continue\r\ncontent-length: 1\r\n\r\n`, '401'],
    ['two requests at once', `${line}\r\n${line}\r\n`, '200,200'],
    ['a request and garbage', `${line}\r\nnonsense\r\n\r\n`, '200,400'],
    ['two requests and garbage', `${line}\r\n${line}\r\nnonsense\r\n\r\n`, '200,200,400'],
    [
      'a request, and one whose body is garbage',
      `${line}\r\n${post}authorization: AUTHORIZATION\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
      '200,400',
    ],
  ])('answers %s once for each request', async (_, sent, statuses) => {
    const connection = await openRawConnection(api.port)
    connection.socket.on('error', () => {})
    connection.write(authorized(sent))
    // The last byte of all that is answered belongs to a body.
    const told = (): string =>
      [...connection.text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status).join()
    await waitFor(() => told() === statuses && connection.text().endsWith('}'), {
      what: `${statuses}, not ${told()}`,
    })
    connection.socket.end()
    await connection.untilEnd()
    expect(told()).toBe(statuses)
  })

  it.each([
    ['a line that never ends', 'GET /livez HT'],
    ['headers that never end', `${line}x: 1\r\n`],
    ['a second request that never ends', `${line}\r\n${line}`],
  ])('gives up on %s', async (_, beginning) => {
    const connection = await openRawConnection(api.port)
    connection.write(beginning)
    const text = await connection.untilEnd(20_000)
    expect(text).toMatch(/HTTP\/1\.1 408 [^]*application\/problem\+json[^]*"status":408/)
  })

  it('gives up on who sends one byte of a header now and then', async () => {
    const connection = await openRawConnection(api.port)
    connection.write(`${line}x: `)
    connection.socket.on('error', () => {})
    const trickle = setInterval(() => connection.write('x'), 100)
    const text = await connection.untilEnd(20_000)
    clearInterval(trickle)
    expect(text).toContain('HTTP/1.1 408 ')
  })

  it('gives up on connections that bring nothing', async () => {
    const connections = await Promise.all(Array.from({ length: 50 }, () => openRawConnection(api.port)))
    expect((await api.ask('/livez')).status).toBe(200)
    for (const connection of connections)
      expect(await connection.untilEnd(20_000)).toMatch(/^$|HTTP\/1\.1 408 /)
  })

  it.each(['application/json', 'Application/JSON'])(
    'gives up on a message that does not come, as %s',
    async (type) => {
      const connection = await openRawConnection(api.port)
      const beginning = post.replace('application/json', type)
      connection.write(
        `${beginning}authorization: ${everything.authorization}\r\ncontent-length: 10\r\n\r\n[1`,
      )
      const text = await connection.untilEnd(20_000)
      expect(text).toMatch(/^HTTP\/1\.1 408 [^]*application\/problem\+json[^]*"code":"too_slow"/)
    },
  )

  it('gives up on who sends one byte of a message now and then', async () => {
    const connection = await openRawConnection(api.port)
    connection.socket.on('error', () => {})
    connection.write(`${post}authorization: ${everything.authorization}\r\ncontent-length: 1000000\r\n\r\n"`)
    const trickle = setInterval(() => connection.write('x'), 100)
    const text = await connection.untilEnd(20_000)
    clearInterval(trickle)
    expect(text).toMatch(/^HTTP\/1\.1 408 [^]*application\/problem\+json[^]*"code":"too_slow"/)
  })

  it('gives up on a file of which nothing comes any more, and keeps nothing of it', async () => {
    const before = uploads().length
    const connection = await openRawConnection(api.port)
    connection.write(
      `POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\nauthorization: ${everything.authorization}\r\ncontent-length: 1000\r\n\r\na,b\n`,
    )
    const text = await connection.untilEnd(20_000)
    expect(text).toMatch(/^HTTP\/1\.1 408 [^]*application\/problem\+json[^]*"code":"too_slow"/)
    expect(uploads()).toHaveLength(before)
  })

  it('answers who has closed its half after the whole request, and not who did so before', async () => {
    const whole = await openRawConnection(api.port)
    whole.write(`${line}\r\n`)
    whole.socket.end()
    expect(await whole.untilEnd()).toMatch(/^HTTP\/1\.1 200 [^]*alive/)
    for (const half of [
      line,
      `${post}authorization: ${everything.authorization}\r\ncontent-length: 10\r\n\r\n[1`,
    ]) {
      const connection = await openRawConnection(api.port)
      connection.write(half)
      connection.socket.end()
      expect(await connection.untilEnd()).toMatch(/^HTTP\/1\.1 400 [^]*application\/problem\+json/)
    }
  })

  it('keeps nothing of who goes in the middle', async () => {
    const before = uploads().length
    const authorization = `authorization: ${everything.authorization}\r\n`
    const file = 'POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\n'
    for (const beginning of [
      '',
      line,
      `${post}${authorization}content-length: 10\r\n\r\n[1`,
      `${post}${authorization}transfer-encoding: chunked\r\n\r\n5\r\n[1`,
      `${file}${authorization}content-length: 1000\r\n\r\na,b\n`,
      `${file}${authorization}transfer-encoding: chunked\r\n\r\n4\r\na,b\n\r\n`,
      `GET /v1/events?channel=any HTTP/1.1\r\nhost: localhost\r\n${authorization}\r\n`,
    ]) {
      for (const leave of ['resetAndDestroy', 'destroy'] as const) {
        const connection = await openRawConnection(api.port)
        connection.socket.on('error', () => {})
        await new Promise<void>((resolve) => connection.socket.write(beginning, () => resolve()))
        connection.socket[leave]()
      }
    }
    await waitFor(() => uploads().length === before, { what: 'what broke off to be removed' })
    await waitFor(async () => /^api_streams 0$/m.test((await askAs('/metrics')).text))
  })

  it.each([
    ['after the request', '', 'nonsense\r\n\r\n'],
    ['after a request that waits to be asked to go on', 'expect: 100-continue\r\n', 'nonsense\r\n\r\n'],
    ['in the body of the next request', '', `AUTHORIZED${post}transfer-encoding: chunked\r\n\r\nzz\r\n`],
  ])('sends nothing into a stream because of what its client sends %s', async (_, header, rest) => {
    const connection = await openRawConnection(api.port)
    connection.write(
      authorized(`AUTHORIZEDGET /v1/events?channel=any HTTP/1.1\r\nhost: localhost\r\n${header}\r\n`),
    )
    await waitFor(() => connection.text().includes('ps.hello'))
    connection.write(authorized(rest))
    const text = await connection.untilEnd()
    expect(text.slice(text.indexOf('ps.hello'))).not.toContain('HTTP/1.1')
  })

  it('is alive and unharmed after all of it', async () => {
    expect((await api.ask('/livez')).status).toBe(200)
    expect((await api.ask('/readyz')).json().state).toBe('ready')
    const channel = uniqueName('after')
    const stream = await openStream(`${api.url}/v1/events?channel=${channel}`, everything)
    await stream.untilEvent('ps.hello')
    expect((await askAs(`/v1/channels/${channel}/messages`, asJson('still here'))).status).toBe(202)
    await stream.until(({ data }) => data.message === 'still here')
    stream.close()
    const lines = api.program.stdout().trim().split('\n')
    const errors = lines.filter((each) => (JSON.parse(each) as { level: number }).level >= 40)
    expect(errors).toEqual([])
    expect(api.program.stderr()).toBe('')
    const secrets = [
      everything.authorization.slice(-40),
      'the-password-in-it',
      'the-token-of-bad-input',
      jwtSecret,
    ]
    for (const secret of secrets) expect(api.program.stdout()).not.toContain(secret)
  })
})
