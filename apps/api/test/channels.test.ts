import { createClient, silentLogger } from '@ps/core'
import { uniqueName, waitFor } from '@ps/services/vitest'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { asJson } from './ask.js'

describe('publishing over HTTP', () => {
  let api: ApiProcess
  beforeAll(async () => {
    api = await startApiProcess(ownWorld(inject('postgresUrl')))
  })
  afterAll(async () => {
    await api.stop()
  })

  const publish = (channel: string, message: unknown) =>
    api.ask(`/v1/channels/${encodeURIComponent(channel)}/messages`, asJson(message))

  it.each([{ text: 'ü\u2028"\n' }, [1, null], 'text', 0, false, null])(
    'brings %j as it is to whoever listens',
    async (message) => {
      const channel = uniqueName('any/channel with ü')
      await using client = await createClient({
        environment: api.environment,
        backends: { postgres: () => import('@ps/postgres') },
        log: silentLogger,
      })
      const heard: unknown[] = []
      await client.listen(channel, (each) => heard.push(each))
      const answer = await publish(channel, message)
      expect([answer.status, answer.json()]).toEqual([202, { accepted: true }])
      await waitFor(() => heard.length > 0)
      expect(heard).toEqual([message])
    },
  )

  it.each([
    ['control:engines', 403, 'control_channel'],
    ['control:api:1', 403, 'control_channel'],
    ['$ps:anything', 403, 'control_channel'],
    ['jobs', 403, 'read_only_channel'],
    ['engines', 403, 'read_only_channel'],
    ['\0', 400, 'invalid_channel'],
    ['x'.repeat(256), 400, 'invalid_channel'],
  ])('refuses the channel %j with %i', async (channel, status, code) => {
    const answer = await publish(channel, 1)
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json()).toMatchObject({ type: 'about:blank', status, code, detail: expect.any(String) })
  })

  it('takes a message of 1 MiB and refuses one byte more with 413', async () => {
    const longest = 'x'.repeat(1024 ** 2 - 2)
    expect((await publish('sizes', longest)).status).toBe(202)
    const answer = await publish('sizes', `${longest}x`)
    expect([answer.status, answer.json().code]).toEqual([413, 'message_too_large'])
  })

  it('refuses a body that is far too long without reading it all', async () => {
    const answer = await publish('sizes', 'x'.repeat(3 * 1024 ** 2))
    expect(answer.status).toBe(413)
  })

  it.each(['{', '', 'undefined', '{"a":1}}'])('refuses the body %j with 400', async (body) => {
    const answer = await api.ask('/v1/channels/any/messages', { ...asJson(0), body })
    expect([answer.status, answer.json().code]).toEqual([400, 'invalid_json'])
  })

  it.each([{ 'content-type': 'text/csv' }, { 'content-type': 'text/plain' }, {}])(
    'refuses a body of the type %j with 415',
    async (headers) => {
      const answer = await api.ask('/v1/channels/any/messages', { method: 'POST', headers, body: '1' })
      expect(answer.status).toBe(415)
      expect(answer.headers['content-type']).toBe('application/problem+json')
    },
  )

  it('says which methods an address has, and where there is nothing', async () => {
    const wrongMethod = await api.ask('/v1/channels/any/messages')
    expect([wrongMethod.status, wrongMethod.headers.allow]).toEqual([405, 'POST'])
    const nothing = await api.ask('/v1/nothing')
    expect([nothing.status, nothing.json().status]).toEqual([404, 404])
    const unreadable = await api.ask('/v1/jobs/%zz')
    expect([unreadable.status, unreadable.json().status]).toEqual([400, 400])
  })

  it('describes itself in OpenAPI, without what is internal, and shows it', async () => {
    const { paths } = (await api.ask('/openapi.json')).json() as { paths: Record<string, object> }
    expect(Object.keys(paths).toSorted()).toEqual([
      '/livez',
      '/metrics',
      '/readyz',
      '/v1/channels/{channel}/messages',
      '/v1/engines',
      '/v1/events',
      '/v1/jobs',
      '/v1/jobs/{id}',
      '/v1/jobs/{id}/rejects',
      '/v1/session',
      '/v1/streams',
      '/v1/tickets',
    ])
    const page = await api.ask('/docs')
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  })

  it('counts in /metrics what was published', async () => {
    const count = async (): Promise<number> => {
      const { text } = await api.ask('/metrics')
      return Number(/^api_published_total\{accepted="true"\} (\d+)$/m.exec(text)?.[1] ?? 0)
    }
    const before = await count()
    await publish('counted', 1)
    expect(await count()).toBe(before + 1)
  })

  it('serves the dashboard with types and a policy that allows no foreign and no inline script', async () => {
    const page = await api.ask('/')
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    const policy = String(page.headers['content-security-policy'])
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toContain('unsafe')
    for (const [, path = ''] of page.text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)) {
      const file = await api.ask(path)
      expect([path, file.status, file.headers['x-content-type-options']]).toEqual([path, 200, 'nosniff'])
      const again = await api.ask(path, { headers: { 'if-none-match': file.headers.etag } })
      expect([path, again.status, again.text]).toEqual([path, 304, ''])
    }
    expect((await api.ask('/assets/main.js')).headers['content-type']).toContain('text/javascript')
    expect((await api.ask('/assets/..%2fmain.js')).status).toBe(404)
  })
})
