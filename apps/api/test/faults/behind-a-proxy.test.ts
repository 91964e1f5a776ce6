import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import { fileURLToPath } from 'node:url'
import { createClient, silentLogger } from '@ps/core'
import { requireReverseProxy, spawnProgram, uniqueName, waitFor } from '@ps/services/vitest'
import { describe, expect, inject, it, onTestFinished, type TestContext } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from '../api-process.js'
import { bearer, inSeconds, jwtEnvironment, signToken } from '../sign-token.js'
import { startStandInEngine } from '../stand-in-engine.js'

type ProxyName = 'nginx' | 'caddy'

const page = readFileSync(new URL('../../../../docs/http.md', import.meta.url), 'utf8')
const readingPage = fileURLToPath(new URL('./reading-page.mjs', import.meta.url))

/** The block of the documentation, in which only names, ports and certificates are others. */
function documented(
  name: ProxyName,
  ports: readonly number[],
  { port, certificateFile, keyFile }: { port: number; certificateFile: string; keyFile: string },
): string {
  const language = name === 'nginx' ? 'nginx' : 'caddyfile'
  const [, block] = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page) ?? []
  if (block === undefined) throw new Error(`docs/http.md has no configuration of ${name}`)
  const replaced = (text: string, pattern: string, by: string): string => {
    if (!text.includes(pattern)) throw new Error(`the configuration of ${name} has no ${pattern}`)
    return text.replaceAll(pattern, by)
  }
  const changes: readonly (readonly [string, string])[] = [
    ['10.0.0.1:3000', `127.0.0.1:${ports[0]}`],
    ['10.0.0.2:3000', `127.0.0.1:${ports[1]}`],
    ...(name === 'nginx'
      ? ([
          ['/etc/ssl/jobs.example.com.crt', certificateFile],
          ['/etc/ssl/jobs.example.com.key', keyFile],
          ['listen 443', `listen 127.0.0.1:${port}`],
          ['jobs.example.com', 'localhost'],
        ] as const)
      : ([
          ['jobs.example.com {', `https://localhost:${port} {\ntls ${certificateFile} ${keyFile}`],
        ] as const)),
  ]
  return changes.reduce((text, [pattern, by]) => replaced(text, pattern, by), block)
}

interface Answer {
  readonly status: number
  readonly cookie: string
  readonly text: string
}

/** Two apis, one PostgreSQL, and a proxy before both. */
async function startFleet(context: TestContext, name: ProxyName) {
  const world = ownWorld(inject('postgresUrl'))
  const launch = (): Promise<ApiProcess> =>
    startApiProcess({ ...world, ...jwtEnvironment, API_TRUSTED_PROXIES: '127.0.0.1' })
  const apis = await Promise.all([launch(), launch()])
  context.onTestFinished(async () => {
    await Promise.all(apis.map((api) => api.stop()))
  })
  const ports = apis.map(({ port }) => port)
  const proxy = await requireReverseProxy(context, {
    name,
    configuration: (place) => documented(name, ports, place),
  })
  const authorization = bearer(
    await signToken({ publish: ['*'], subscribe: ['*'], scope: 'jobs metrics', exp: inSeconds(3_600) }),
  )
  const authority = readFileSync(proxy.authorityFile, 'utf8')
  const address = `https://localhost:${proxy.port}`
  return {
    apis,
    world,
    proxy,
    authorization,
    authority,
    address,
    ask: (
      path: string,
      { method = 'GET', headers = {}, body }: { method?: string; headers?: object; body?: string } = {},
    ): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const sent = request(
          `${address}${path}`,
          { method, headers: { ...authorization, ...headers }, ca: authority, agent: false },
          (response) => {
            let text = ''
            response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
            response.on('error', reject).on('end', () =>
              resolve({
                status: response.statusCode ?? 0,
                cookie: response.headers['set-cookie']?.[0] ?? '',
                text,
              }),
            )
          },
        )
        sent.on('error', reject).end(body)
      }),
    /** How many streams each api has. */
    streams: (): Promise<number[]> =>
      Promise.all(
        apis.map(async (api) => {
          const { text } = await api.ask('/metrics', { headers: authorization })
          return Number(/^api_streams (\d+)$/m.exec(text)?.[1])
        }),
      ),
  }
}

const asJson = { 'content-type': 'application/json' }

describe.each(['nginx', 'caddy'] as const)('behind %s, as docs/http.md has it', (name) => {
  it('a stream over HTTP/2 flows at once and outlives its pings, a long file passes, and either api takes a session of the other', async (context) => {
    const { apis, world, authorization, authority, address, ask } = await startFleet(context, name)
    const engine = await startStandInEngine(world)
    onTestFinished(() => engine.die())

    const session = connectHttp2(address, { ca: authority })
    onTestFinished(() => session.destroy())
    let heard = ''
    const stream = session.request({ ':path': '/v1/events?channel=any', ...authorization })
    stream.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk))
    await waitFor(() => heard.includes('event: ps.hello'))
    const published = await ask('/v1/channels/any/messages', {
      method: 'POST',
      headers: asJson,
      body: '"one"',
    })
    expect([published.status, published.text]).toEqual([202, '{"accepted":true}'])
    await waitFor(() => heard.includes('"message":"one"'))

    // More than the 1 MiB that nginx takes by itself.
    const file = `a,b\n${'1,2\n'.repeat(800_000)}`
    await waitFor(async () =>
      (await Promise.all(apis.map((api) => api.ask('/v1/engines', { headers: authorization })))).every(
        ({ text }) => text.includes(engine.id),
      ),
    )
    const job = await ask('/v1/jobs', { method: 'POST', headers: { 'content-type': 'text/csv' }, body: file })
    expect([job.status, (JSON.parse(job.text) as { totalBytes: number }).totalBytes]).toEqual([
      202,
      file.length,
    ])

    const begun = await ask('/v1/session', { method: 'POST' })
    expect([begun.status, begun.cookie]).toEqual([
      200,
      expect.stringMatching(/^__Host-ps-session=.*; Secure$/),
    ])
    const [cookie = ''] = begun.cookie.split(';')
    for (const api of apis) expect((await api.ask('/v1/engines', { headers: { cookie } })).status).toBe(200)
    const asPage = { authorization: '', cookie, 'content-type': 'application/json', origin: address }
    const byPage = await ask('/v1/channels/any/messages', { method: 'POST', headers: asPage, body: '"two"' })
    expect(byPage.status).toBe(202)
    await waitFor(() => heard.includes('"message":"two"'))

    const inside = await ask(`/internal/uploads/${(JSON.parse(job.text) as { id: string }).id}`)
    expect([inside.status, inside.text]).toEqual([404, expect.not.stringContaining('problem')])

    await waitFor(() => heard.split('event: ps.ping').length > 2, { timeout: 60_000 })
    await ask('/v1/channels/any/messages', { method: 'POST', headers: asJson, body: '"three"' })
    await waitFor(() => heard.includes('"message":"three"'))
    expect(stream.closed).toBe(false)
  }, 120_000)

  it('a page whose api is stopped comes back by itself to the other one, and is told of what it may have missed', async (context) => {
    const { apis, world, proxy, authorization, address, streams } = await startFleet(context, name)
    const channel = uniqueName('numbers')
    const reader = spawnProgram(
      readingPage,
      [`${address}/v1/events`, authorization.authorization.replace('Bearer ', ''), channel],
      { environment: { NODE_EXTRA_CA_CERTS: proxy.authorityFile } },
    )
    onTestFinished(async () => void (await reader.stop()))
    await reader.waitForOutput(/"state":"live"/)

    await using client = await createClient({
      environment: world,
      backends: { postgres: () => import('@ps/postgres') },
      log: silentLogger,
    })
    let last = 0
    const enough = new AbortController()
    const publishing = (async () => {
      while (!enough.signal.aborted) {
        expect(await client.publish(channel, (last += 1))).toBe(true)
        // As a pace, so that there is something to miss and not too much.
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    })()

    await reader.waitForOutput(/"message":/)
    const place = (await streams()).indexOf(1)
    const [gone, other] = place === 0 ? apis : [apis[1], apis[0]]
    expect(place).toBeGreaterThanOrEqual(0)
    expect(await gone?.program.stop()).toEqual({ code: 0, signal: null })
    await reader.waitForOutput(/"state":"reconnecting","reason":"the server is being stopped"/)
    // A number too: the stream may be live between two of them, and then nothing after it would show that it flows.
    await reader.waitForOutput(/"state":"live"[^]*"state":"live"[^]*"message":\d/, 30_000)
    enough.abort()
    await publishing
    expect(await client.publish(channel, 'the end')).toBe(true)
    await reader.waitForOutput(/"message":"the end"/)
    expect(await other?.ask('/livez')).toMatchObject({ status: 200 })

    const said = reader
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { message?: unknown; gap?: string })
    let expected: unknown
    let isTold = true
    const untold: unknown[] = []
    for (const { message, gap } of said) {
      if (gap !== undefined) isTold = true
      if (typeof message !== 'number') continue
      if (!isTold && message !== expected) untold.push({ expected, message })
      expected = message + 1
      isTold = false
    }
    expect(untold).toEqual([])
    expect(expected).toBe(last + 1)
    expect(said.filter(({ gap }) => gap !== undefined)).toEqual([
      { gap: expect.stringContaining('the last id is not of this server') },
    ])
  }, 90_000)
})
