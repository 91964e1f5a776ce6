import { networkInterfaces } from 'node:os'
import {
  freePort,
  type RedisOptions,
  type RedisServer,
  RedisUnavailable,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  waitFor,
} from '@ps/services'
import { Redis } from 'ioredis'
import { expect, it, type TestContext } from 'vitest'
import { type DoctorRun, runDoctor } from './run-doctor.js'
import { startStranger } from './stranger.js'

const startOwn = async (test: TestContext, options: RedisOptions = {}): Promise<RedisServer> => {
  try {
    const server = await startRedis(options)
    test.onTestFinished(() => server.stop())
    return server
  } catch (error) {
    if (error instanceof RedisUnavailable && !process.env.CI) return test.skip(error.message)
    throw error
  }
}

const connect = (test: TestContext, url: string): Redis => {
  const redis = new Redis(url)
  redis.on('error', () => {})
  test.onTestFinished(() => redis.disconnect())
  return redis
}

const examine = (
  url: string,
  environment: Record<string, string> = {},
  ...given: string[]
): Promise<DoctorRun> => runDoctor({ PUBSUB_BACKEND: 'redis', REDIS_URL: url, ...environment }, ...given)

const finding = (severity: 'warning' | 'problem', code: string, message: RegExp, fix: RegExp) => ({
  code,
  backend: 'redis',
  severity,
  message: expect.stringMatching(message),
  fix: expect.stringMatching(fix),
})

it('a Redis that is well is told with its version, its limits, what was tried, and exit code 0', async (test) => {
  const { url } = await startOwn(test)
  const found = await examine(url)
  expect(found.complaints).toEqual([])
  expect(found).toMatchObject({
    code: 0,
    plan: { backends: ['redis'] },
    roundTrips: [{ backend: 'redis', messages: 20, p50: expect.any(Number) }],
  })
  expect(found.versions['redis']).toMatch(/^\d+\.\d+/)
  expect(found.findings.map(({ code }) => code)).toEqual([
    'server_version',
    'output_buffer_limit',
    'connections',
    'permissions',
  ])
  expect(found.findings[1]?.message).toMatch(
    /cuts a subscriber off that is more than 32 MiB behind, or more than 8 MiB behind for 60 s/,
  )
})

it('the number of a database is a warning, and none where there is a prefix', async (test) => {
  const { port } = await startOwn(test)
  const found = await examine(`redis://127.0.0.1:${port}/3`)
  expect(found.complaints).toEqual([
    finding('warning', 'database_number', /database 3, which means nothing/, /^set PUBSUB_PREFIX/),
  ])
  expect(found.code).toBe(0)
  const prefixed = await examine(`redis://127.0.0.1:${port}/3`, { PUBSUB_PREFIX: 'staging:' })
  expect(prefixed.complaints).toEqual([])
})

it('a replica is a problem, and its master is named', async (test) => {
  const master = await startOwn(test)
  const replica = await startOwn(test, { settings: { replicaof: ['127.0.0.1', String(master.port)] } })
  const found = await examine(replica.url)
  expect(found.complaints).toEqual([
    finding(
      'problem',
      'replica',
      new RegExp(`is a replica of 127\\.0\\.0\\.1:${master.port}: .*heard on it alone`),
      new RegExp(`lead to the master, 127\\.0\\.0\\.1:${master.port}`),
    ),
  ])
  expect(found.code).toBe(1)
})

it('a channel that a user may not use is named, also that of recovery', async (test) => {
  const { url, port } = await startOwn(test)
  const admin = connect(test, url)
  const allow = (name: string, ...rules: string[]) =>
    admin.call('ACL', 'SETUSER', name, 'on', '>hunter2', 'resetchannels', ...rules)
  await allow('one', '+@all', '&jobs:*')
  const one = `redis://one:hunter2@127.0.0.1:${port}`
  const found = await examine(one)
  expect(found.complaints).toEqual([
    finding(
      'problem',
      'channel_not_permitted',
      /"one" may not PUBLISH the channel "pubsub-check-/,
      /&pattern/,
    ),
    finding(
      'problem',
      'channel_not_permitted',
      /"one" may not SUBSCRIBE the channel "pubsub-check-/,
      /PUBSUB_PREFIX/,
    ),
  ])
  expect(found.code).toBe(1)
  expect(found.output).not.toContain('hunter2')
  expect((await examine(one, { PUBSUB_PREFIX: 'jobs:' })).complaints).toEqual([])
  const tried = await examine(one, {}, '--channel', 'jobs:7')
  expect(tried.complaints).toEqual([])
  expect(tried.roundTrips).toHaveLength(1)
  expect((await examine(one, { PUBSUB_RECOVERY: 'on' }, '--channel', 'jobs:7')).complaints).toMatchObject([
    { code: 'channel_not_permitted', message: expect.stringContaining('"$ps.recovery"') },
    { code: 'channel_not_permitted', message: expect.stringContaining('"$ps.recovery"') },
  ])
})

it('a command that a user may not use is named, and what it may not ask is no fault', async (test) => {
  const { url, port } = await startOwn(test)
  const admin = connect(test, url)
  const allow = (name: string, ...rules: string[]) =>
    admin.call('ACL', 'SETUSER', name, 'on', '>hunter2', 'resetchannels', ...rules)
  await allow('listener', '+@all', '-publish', 'allchannels')
  expect((await examine(`redis://listener:hunter2@127.0.0.1:${port}`)).complaints).toEqual([
    finding('problem', 'command_not_permitted', /"listener" may not PUBLISH: NOPERM/, /\+publish/),
  ])

  // No more than a client needs: what cannot be asked is said to be unknown, and is no fault.
  await allow('least', '-@all', '+publish', '+subscribe', '+unsubscribe', 'allchannels')
  const least = await examine(`redis://least:hunter2@127.0.0.1:${port}`)
  expect(least.complaints).toEqual([])
  expect(least.findings.map(({ message }) => message).join('\n')).toMatch(
    /a version that its user may not ask for[\s\S]*limits for slow subscribers are not known/,
  )
})

it('a certificate that is not trusted, or of another name, is told, and that a server wants TLS', async (test) => {
  const server = await startOwn(test, { tls: true })
  const authority = `?ca=${encodeURIComponent(server.caFile ?? '')}`
  expect((await examine(server.url)).complaints).toEqual([
    finding('problem', 'certificate_untrusted', /self-signed/, /\?ca=/),
  ])
  const elsewhere = server.url.replace('127.0.0.1', '0.0.0.0')
  expect((await examine(`${elsewhere}${authority}`)).complaints).toEqual([
    finding('problem', 'certificate_name', /does not match/, /as it stands in the certificate/),
  ])
  expect((await examine(`${server.url}${authority}`)).complaints).toEqual([])
  expect((await examine(server.url.replace('rediss:', 'redis:'))).complaints).toEqual([
    finding('problem', 'tls_required', /expects TLS/, /begin with rediss/),
  ])
})

it('a certificate that has expired is told, that a server has no TLS, and a way that is not safe', async (test) => {
  const expired = await startOwn(test, { tls: 'expired' })
  expect((await examine(`${expired.url}?ca=${encodeURIComponent(expired.caFile ?? '')}`)).complaints).toEqual(
    [finding('problem', 'certificate_expired', /expired/, /renew/)],
  )
  const plain = await startOwn(test)
  expect((await examine(plain.url.replace('redis:', 'rediss:'))).complaints).toEqual([
    finding('problem', 'tls_not_offered', /has no TLS/, /begin with redis where/),
  ])
  expect((await examine(plain.url.replace('127.0.0.1', '0.0.0.0'))).complaints).toEqual([
    finding('warning', 'encryption', /not encrypted/, /rediss/),
  ])
})

it('a wrong password, none, an unknown host and a refused port are named, with what to do', async (test) => {
  const { port } = await startOwn(test, { password: 'right' })
  const wrong = await examine(`redis://:hunter2@127.0.0.1:${port}`)
  expect(wrong.complaints).toEqual([finding('problem', 'password', /WRONGPASS/, /the password/)])
  expect(wrong.code).toBe(1)
  expect(wrong.output).not.toContain('hunter2')
  expect((await examine(`redis://127.0.0.1:${port}`)).complaints).toEqual([
    finding('problem', 'password', /asks for a password/, /redis:\/\/user:password@host/),
  ])
  expect((await examine('redis://no-such-host.invalid')).complaints.at(-1)).toEqual(
    finding('problem', 'host_unknown', /no-such-host\.invalid/, /correct the host of REDIS_URL/),
  )
  expect((await examine(`redis://127.0.0.1:${await freePort()}`)).complaints).toEqual([
    finding('problem', 'refused', /ECONNREFUSED/, /start Redis/),
  ])
})

it('a server that says nothing, and one that is no Redis, are told apart', async (test) => {
  const mute = await startStranger(test, () => {})
  expect((await examine(`redis://127.0.0.1:${mute}`)).complaints).toEqual([
    finding('problem', 'no_answer', /not answered/, /firewall/),
  ])
  const other = await startStranger(test, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  expect((await examine(`redis://127.0.0.1:${other}`)).complaints).toEqual([
    finding('problem', 'unreachable', /127\.0\.0\.1/, /whether a Redis stands/),
  ])
})

it('limits that cut subscribers off, or none at all, are told, and what is too small for a message', async (test) => {
  const { url } = await startOwn(test)
  const admin = connect(test, url)
  await admin.config('SET', 'client-output-buffer-limit', 'pubsub 2mb 1mb 10')
  expect((await examine(url)).complaints).toEqual([
    finding(
      'warning',
      'output_buffer_limit',
      /more than 2 MiB behind, or more than 1 MiB behind for 10 s/,
      /^CONFIG SET/,
    ),
  ])
  await admin.config('SET', 'client-output-buffer-limit', 'pubsub 512kb 0 0')
  expect((await examine(url)).complaints).toEqual([
    finding(
      'problem',
      'output_buffer_limit',
      /more than 0\.5 MiB behind.*one message may have 1 MiB/,
      /^CONFIG SET/,
    ),
  ])
  await admin.config('SET', 'client-output-buffer-limit', 'pubsub 0 0 0')
  await admin.config('SET', 'proto-max-bulk-len', '4mb')
  expect((await examine(url, { PUBSUB_MAX_MESSAGE_BYTES: '8388608' })).complaints).toEqual([
    finding('warning', 'output_buffer_limit', /any amount/, /^CONFIG SET/),
    finding('problem', 'message_size', /up to 4 MiB .*up to 8 MiB/, /proto-max-bulk-len/),
  ])
})

it('a server without a free connection is named, and one that is almost full is a warning', async (test) => {
  const { url } = await startOwn(test, { settings: { maxclients: '10' } })
  for (let index = 0; index < 8; index += 1) await connect(test, url).ping()
  expect((await examine(url)).complaints).toEqual([
    finding('warning', 'connections', /9 of 10 connections/, /maxclients/),
  ])
  for (let index = 0; index < 2; index += 1) await connect(test, url).ping()
  expect((await examine(url)).complaints).toEqual([
    finding('problem', 'too_many_connections', /max number of clients/, /raise maxclients/),
  ])
})

it('a server in protected mode is named, where one comes from elsewhere', async (test) => {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const { address } =
    addresses.find(({ family, internal }) => family === 'IPv4' && !internal) ??
    test.skip('this machine has no address but that of itself')
  const { port } = await startOwn(test, {
    settings: { bind: ['127.0.0.1', address], 'protected-mode': 'yes' },
  })
  const found = await examine(`redis://${address}:${port}`)
  expect(found.complaints).toEqual([
    finding('warning', 'encryption', /not encrypted/, /rediss/),
    finding('problem', 'protected_mode', /protected mode/, /^give the server a password/),
  ])
  expect(found.code).toBe(1)
})

it.for([
  ['stops serving', 'yes', /cluster_state:fail/],
  ['serves the others', 'no', /does not serve 1 of its 16384 slots/],
] as const)('a cluster with a slot that nobody has, which %s, is named', async ([, whole, message], test) => {
  const cluster = await startRedisCluster({ settings: { 'cluster-require-full-coverage': whole } })
  test.onTestFinished(cluster.stop)
  for (const node of cluster.nodes) await node.command('CLUSTER', 'DELSLOTS', 0)
  const [first] = cluster.nodes
  await waitFor(async () => {
    const info = String(await first?.command('CLUSTER', 'INFO'))
    return info.includes(whole === 'yes' ? 'cluster_state:fail' : 'cluster_slots_assigned:16383')
  })
  const found = await examine(`redis+cluster://127.0.0.1:${first?.port}`)
  expect(found.complaints).toEqual([finding('problem', 'cluster_down', message, /CLUSTER INFO/)])
  expect(found.code).toBe(1)
})

it('a server that still reads its data is named', async (test) => {
  const server = await startOwn(test, {
    // Slow to load, and ready to answer meanwhile.
    settings: { 'key-load-delay': '5000', 'loading-process-events-interval-bytes': '1024' },
  })
  const admin = connect(test, server.url)
  await admin.config('SET', 'key-load-delay', '0')
  const big = 'x'.repeat(2_000)
  const keys = Array.from({ length: 10_000 }, (_, index) => [`key ${index}`, `${big}${Math.random()}`]).flat()
  await admin.mset(...keys)
  await admin.save()
  admin.disconnect()
  await server.restart()
  const found = await examine(server.url)
  expect(found.complaints).toEqual([finding('problem', 'loading', /LOADING/, /^wait/)])
})

it('a URL of another kind than the server is told, with the form that fits', async (test) => {
  const single = await startOwn(test)
  const cluster = await startRedisCluster()
  test.onTestFinished(cluster.stop)
  const sentinel = await startRedisSentinel()
  test.onTestFinished(sentinel.stop)
  expect((await examine(`redis://127.0.0.1:${cluster.nodes[0]?.port}`)).complaints).toEqual([
    finding('warning', 'cluster_node', /is a node of a cluster/, /redis\+cluster:\/\//),
  ])
  expect((await examine(`redis://127.0.0.1:${sentinel.sentinels[0]?.port}`)).complaints).toContainEqual(
    finding('problem', 'other_kind', /is a sentinel/, /redis\+sentinel:\/\//),
  )
  expect((await examine(`redis+cluster://127.0.0.1:${single.port}`)).complaints).toEqual([
    finding('problem', 'other_kind', /is no node of a cluster/, /redis:\/\//),
  ])
  expect((await examine(`redis+sentinel://127.0.0.1:${single.port}/main`)).complaints).toEqual([
    finding('problem', 'other_kind', /is no sentinel/, /redis:\/\//),
  ])
  const [first] = sentinel.sentinels
  expect((await examine(sentinel.url.replace('/main', '/other'))).complaints).toEqual([
    finding('problem', 'master_unknown', /knows no master "other"/, /sentinel monitor/),
  ])
  await first?.halt()
  const partly = await examine(sentinel.url)
  expect(partly.complaints).toEqual([finding('warning', 'refused', /ECONNREFUSED/, /start Redis/)])
  expect(partly.findings).toContainEqual(
    expect.objectContaining({
      code: 'sentinels',
      message: expect.stringMatching(/^2 of 3 sentinels answer/),
    }),
  )
  expect(partly.code).toBe(0)
  const whole = await examine(cluster.url)
  expect(whole.complaints).toEqual([])
  expect(whole.findings).toContainEqual(
    expect.objectContaining({ code: 'cluster', message: 'the cluster has 3 masters and 0 replicas' }),
  )
}, 60_000)

it('no part of a password is shown, however the URL is written', async () => {
  const port = await freePort()
  for (const url of [
    `redis://user:s3@cret@127.0.0.1:${port}/0`,
    `redis://user:s3/cret@127.0.0.1:${port}/0`,
    `redis://user:s3?cret@127.0.0.1:${port}/0`,
    `redis://user:s3#cret@127.0.0.1:${port}/0`,
    `redis://user:s3%cret@127.0.0.1:${port}/0`,
    `redis://:s3cret`,
    `redis://127.0.0.1:${port}/0?password=s3cret`,
    `redis://127.0.0.1:${port}/0?password=s3&cret`,
    `redis://127.0.0.1:${port}/0?password=s3#cret`,
    `redis+sentinel://127.0.0.1:${port}/main?sentinelPassword=s3&cret`,
    `redis+cluster://user:s3cret@127.0.0.1:${port}`,
    `user:s3cret@127.0.0.1:${port}`,
  ]) {
    const found = await examine(url)
    expect(found.code).toBe(1)
    expect(found.output).not.toMatch(/s3|cret/)
  }
}, 60_000)
