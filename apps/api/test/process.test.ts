import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, silentLogger } from '@ps/core'
import { freePort, startFaultProxy } from '@ps/services'
import { spawnProgram, uniqueName, waitFor } from '@ps/services/vitest'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { apiFile, ownWorld, startApiProcess } from './api-process.js'
import { asCsv, asJson } from './ask.js'
import { openRawConnection } from './raw-connection.js'
import { startStandInEngine } from './stand-in-engine.js'
import { openStream, type TestStream } from './test-stream.js'

describe('the process of the api', () => {
  it('ends with one line and exit code 1 where its configuration cannot be used', async () => {
    // So many processes, one after the other, take their time on a busy machine.
    const dataFolder = mkdtempSync(join(tmpdir(), 'ps-api-'))
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      taken.close()
      rmSync(dataFolder, { recursive: true })
    })
    const address = taken.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    const database = inject('postgresUrl')
    const usable = { DATABASE_URL: database, API_DATA_DIR: dataFolder, PORT: '0', LOG_LEVEL: 'silent' }
    const wrongPassword = new URL(database)
    wrongPassword.password = 'wrong-secret'
    const keys = {
      API_JWKS_URL: 'https://keys.example',
      API_JWT_ISSUER: 'a',
      API_JWT_AUDIENCE: 'b',
    }
    const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{ HOST: '0.0.0.0' }, /^error: HOST .*API_TOKEN/],
      [{ HOST: '192.168.1.1' }, /^error: HOST .*API_TOKEN/],
      [{ API_TOKEN: 'a b' }, /^error: API_TOKEN/],
      [
        { API_JWT_SECRET: 'short-secret', API_JWT_ISSUER: 'a', API_JWT_AUDIENCE: 'b' },
        /^error: API_JWT_SECRET/,
      ],
      [{ API_JWT_SECRET: 'x'.repeat(32), API_JWT_AUDIENCE: 'b' }, /^error: .*API_JWT_ISSUER/],
      [{ API_JWT_ISSUER: 'a' }, /^error: .*API_JWT_SECRET or API_JWKS_URL/],
      [{ ...keys, API_JWT_SECRET: 'x'.repeat(32) }, /^error: .*both set/],
      [{ ...keys, API_JWKS_URL: 'http://keys.example' }, /^error: API_JWKS_URL/],
      [{ ...keys, API_JWKS_URL: 'https://user:secret@keys.example' }, /^error: API_JWKS_URL/],
      [keys, /^error: .*API_SECRET/],
      [{ API_SECRET: 'short-secret' }, /^error: API_SECRET/],
      [{ API_CORS_ORIGINS: '*' }, /^error: API_CORS_ORIGINS/],
      [{ API_CORS_ORIGINS: 'https://app.example/path' }, /^error: API_CORS_ORIGINS/],
      [{ API_TRUSTED_PROXIES: 'proxy' }, /^error: API_TRUSTED_PROXIES/],
      [{ API_ALLOWED_HOSTS: 'https://jobs.example.com' }, /^error: API_ALLOWED_HOSTS/],
      [{ API_ALLOWED_HOSTS: 'jobs.example.com:https' }, /^error: API_ALLOWED_HOSTS/],
      [{ API_ADDRESS_RATE: '-1' }, /^error: API_ADDRESS_RATE/],
      [{ API_METRICS_PUBLIC: 'yes' }, /^error: API_METRICS_PUBLIC/],
      [{ API_FAULTS: 'yes' }, /^error: API_FAULTS/],
      [{ API_FAULTS: 'on', API_TOKEN: 'a-token' }, /^error: API_FAULTS/],
      [{ API_FAULTS: 'on', HOST: '0.0.0.0', API_TOKEN: 'a-token' }, /^error: API_FAULTS/],
      [{ PORT: 'http' }, /^error: PORT/],
      [{ PORT: '65536' }, /^error: PORT/],
      [{ PORT: port }, /^error: port \d+ on 127\.0\.0\.1 is in use/],
      [{ API_URL: 'localhost:3000' }, /^error: API_URL/],
      [{ API_URL: 'http://user:secret@host/' }, /^error: API_URL/],
      [{ API_MAX_UPLOAD_BYTES: '10 GB' }, /^error: API_MAX_UPLOAD_BYTES/],
      [{ API_STREAM_MAX_AGE: '0' }, /^error: API_STREAM_MAX_AGE/],
      [{ LOG_LEVEL: 'loud' }, /^error: LOG_LEVEL/],
      [{ PUBSUB_BACKEND: 'pigeon' }, /^error: .*PUBSUB_BACKEND/],
      [{ PUBSUB_BACKEND: 'memory' }, /^error: .*memory/],
      [{ DATABASE_URL: '' }, /^error: .*DATABASE_URL/],
      [{ DATABASE_URL: wrongPassword.href }, /^error: .*password/],
      [{ API_DATA_DIR: join(apiFile, 'data') }, /^error: .*API_DATA_DIR/],
    ]
    const check = async ([change, line]: (typeof cases)[number]): Promise<void> => {
      const program = spawnProgram(apiFile, [], { environment: { ...usable, ...change } })
      const { code } = await program.exited
      expect([change, code]).toEqual([change, 1])
      expect(program.stderr()).toMatch(line)
      expect(program.stderr().trimEnd().split('\n')).toHaveLength(1)
      expect(program.stderr()).not.toMatch(/secret|\n +at /)
    }
    const waiting = [...cases]
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await check(next)
    }
    await Promise.all([work(), work()])
  }, 120_000)

  it('starts while no broker is up, says so, and works as soon as one is', async () => {
    const database = new URL(inject('postgresUrl'))
    const proxy = await startFaultProxy({ port: Number(database.port) })
    await proxy.refuse()
    const api = await startApiProcess(ownWorld(proxy.through(database.href)))
    try {
      expect(api.program.stdout()).toContain('no broker is up')
      expect((await api.ask('/livez')).status).toBe(200)
      const ready = await api.ask('/readyz')
      expect([ready.status, ready.json().state]).toEqual([503, 'down'])
      expect(ready.json().backends).toMatchObject([{ reason: expect.stringContaining('127.0.0.1') }])
      const job = await api.ask('/v1/jobs', asCsv())
      expect([job.status, job.json().code]).toEqual([503, 'no_broker'])
      await proxy.accept()
      await waitFor(async () => (await api.ask('/readyz')).json().state === 'ready')
      expect((await api.ask('/v1/channels/any/messages', asJson(1))).status).toBe(202)
    } finally {
      await api.stop()
      await proxy.close()
    }
  })

  it('tells nobody without a credential where its brokers are', async () => {
    const api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      PUBSUB_BACKEND: 'redis',
      REDIS_URL: `redis://the-user:secret@127.0.0.1:${await freePort()}`,
      API_TOKEN: 'a-token',
    })
    try {
      const ready = await waitFor(async () => {
        const answer = await api.ask('/readyz')
        return answer.json().backend === 'postgres' ? answer : undefined
      })
      expect(ready.json()).toMatchObject({
        state: 'degraded',
        reason: 'redis is unreachable',
        backends: [{ name: 'redis', state: 'down' }, { name: 'postgres' }],
      })
      expect(ready.text).not.toMatch(/127\.0\.0\.1|the-user/)
      expect(api.program.stdout()).toContain('redis is down')
    } finally {
      await api.stop()
    }
  })

  it('answers 503 to a publish that no broker acknowledges', async () => {
    const database = new URL(inject('postgresUrl'))
    const proxy = await startFaultProxy({ port: Number(database.port) })
    const api = await startApiProcess({
      ...ownWorld(proxy.through(database.href)),
      PUBSUB_PUBLISH_TIMEOUT: '500',
    })
    try {
      proxy.freeze()
      const answer = await api.ask('/v1/channels/any/messages', asJson(1))
      expect([answer.status, answer.json().code]).toEqual([503, 'not_accepted'])
    } finally {
      proxy.thaw()
      await api.stop()
      await proxy.close()
    }
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'says goodbye to streams and ends by itself at %s',
    async (signal) => {
      const api = await startApiProcess(ownWorld(inject('postgresUrl')))
      const streams = [await api.stream('any'), await api.stream('other')]
      await Promise.all(streams.map((stream) => stream.untilEvent('ps.hello')))
      const ended = await api.stop(signal)
      expect(ended).toEqual({ code: 0, signal: null })
      for (const stream of streams) {
        await stream.ended
        expect(stream.events.at(-1)).toEqual({ event: 'ps.bye', data: { reason: 'shutdown' } })
      }
    },
  )

  it('says goodbye to one stream after the other, is not ready meanwhile, and goes on for the others', async () => {
    const api = await startApiProcess(ownWorld(inject('postgresUrl')))
    const channel = uniqueName('many')
    await using client = await createClient({
      environment: api.environment,
      backends: { postgres: () => import('@ps/postgres') },
      log: silentLogger,
    })
    const streams = await Promise.all(Array.from({ length: 100 }, () => api.stream(channel)))
    await Promise.all(streams.map((stream) => stream.untilEvent('ps.hello')))
    const isTold = (stream: TestStream): boolean => stream.events.at(-1)?.event === 'ps.bye'
    const end = api.stop()
    await waitFor(() => streams.some(isTold))
    const ready = await api.ask('/readyz')
    expect([ready.status, ready.json().draining]).toEqual([503, true])
    expect((await api.ask(`/v1/events?channel=${channel}`)).status).toBe(503)
    // After any other answer a browser would not try again.
    const declined = await openStream(`${api.url}/v1/events?channel=${channel}`, {
      accept: 'text/event-stream',
    })
    await declined.ended
    expect([declined.status, declined.events]).toMatchObject([
      200,
      [{ event: 'ps.bye', data: { reason: 'shutdown' } }],
    ])
    const last = uniqueName('last')
    expect(await client.publish(channel, last)).toBe(true)
    await waitFor(() => streams.some((stream) => stream.messages(channel).includes(last)))
    expect(streams.some((stream) => isTold(stream) && stream.messages(channel).length === 0)).toBe(true)
    expect(await end).toEqual({ code: 0, signal: null })
    for (const stream of streams)
      expect(stream.events.at(-1)).toMatchObject({ event: 'ps.bye', data: { reason: 'shutdown' } })
  })

  it('ends in spite of an upload that never ends, and keeps nothing of it', async () => {
    const api = await startApiProcess(ownWorld(inject('postgresUrl')))
    const engine = await startStandInEngine(api.environment)
    await waitFor(async () => (await api.ask('/v1/engines')).text.includes(engine.id))
    const sent = request(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', 'content-length': 1_000_000 },
    })
    sent.on('error', () => {})
    sent.write('a,b\n')
    const folder = join(api.dataFolder, 'uploads')
    await waitFor(() => readdirSync(folder).length === 1)
    const { code } = await api.program.stop()
    expect([code, readdirSync(folder)]).toEqual([0, []])
    await engine.die()
    await api.stop()
  })

  it('answers as ever what comes on a busy connection while it stops, and keeps no connection then', async () => {
    const api = await startApiProcess(ownWorld(inject('postgresUrl')))
    const connection = await openRawConnection(api.port)
    connection.write(
      'POST /v1/channels/any/messages HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n1',
    )
    await waitFor(() => connection.text().includes('100 Continue'))
    // As soon as it takes no connection any more.
    const ended = api.stop()
    await waitFor(async () => {
      const isRefused = await openRawConnection(api.port).then(
        ({ socket }) => void socket.destroy(),
        () => true,
      )
      return isRefused
    })
    connection.write('1GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const text = await connection.untilEnd()
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['100', '202', '200'])
    expect(text.slice(text.indexOf('HTTP/1.1 200'))).toMatch(/^connection: close\r$[^]*\{"state":"alive"\}$/m)
    expect(await ended).toEqual({ code: 0, signal: null })
  })

  it('keeps its secret and its files to itself, and sweeps at the start what nobody needs', async () => {
    let api = await startApiProcess(ownWorld(inject('postgresUrl')))
    expect(statSync(join(api.dataFolder, 'secret')).mode & 0o777).toBe(0o600)
    expect(statSync(join(api.dataFolder, 'uploads')).mode & 0o777).toBe(0o700)
    const uploads = join(api.dataFolder, 'uploads')
    await api.program.stop()
    for (const name of ['old', 'new', 'broken.part']) writeFileSync(join(uploads, name), 'a')
    const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1_000)
    utimesSync(join(uploads, 'old'), longAgo, longAgo)
    api = await api.restart()
    await waitFor(() => readdirSync(uploads).length === 1)
    expect(readdirSync(uploads)).toEqual(['new'])
    await api.stop()
  })

  it('listens where it is told to', async () => {
    const port = await freePort()
    const api = await startApiProcess({
      ...ownWorld(inject('postgresUrl')),
      PORT: String(port),
      HOST: 'localhost',
    })
    expect(api.url).toBe(`http://localhost:${port}`)
    expect((await api.ask('/livez')).json()).toEqual({ state: 'alive' })
    await api.stop()
  })
})
