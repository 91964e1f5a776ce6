import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, type PostgresOptions, type PostgresServer, startPostgres } from '@ps/services'
import { requirePgBouncer } from '@ps/services/vitest'
import postgres from 'postgres'
import { expect, inject, it, type TestContext } from 'vitest'
import { type JsonFinding, runDoctor } from './run-doctor.js'
import { startStranger } from './stranger.js'

const startOwn = async (test: TestContext, options: PostgresOptions = {}): Promise<PostgresServer> => {
  const server = await startPostgres(options)
  test.onTestFinished(() => server.stop())
  return server
}

const connect = (test: TestContext, url: string, application = 'test'): postgres.Sql => {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { application_name: application } })
  test.onTestFinished(() => sql.end({ timeout: 1 }))
  return sql
}

const complaintsOf = async (url: string): Promise<readonly JsonFinding[]> =>
  (await runDoctor({ DATABASE_URL: url })).complaints

const problem = (code: string, message: RegExp, fix: RegExp) =>
  expect.objectContaining({
    code,
    backend: 'postgres',
    severity: 'problem',
    message: expect.stringMatching(message),
    fix: expect.stringMatching(fix),
  })

it('a PostgreSQL that is well is told with its version, what was tried, and exit code 0', async () => {
  const found = await runDoctor({ DATABASE_URL: inject('postgresUrl') })
  expect(found.complaints).toEqual([])
  expect(found).toMatchObject({
    code: 0,
    plan: { backends: ['postgres'], explanation: expect.stringContaining('backend postgres') },
    roundTrips: [{ backend: 'postgres', messages: 20, p50: expect.any(Number) }],
    traffic: null,
  })
  expect(found.versions).toMatchObject({ node: process.versions.node, pubsub: expect.any(String) })
  expect(found.versions['postgres']).toMatch(/^\d+\.\d+/)
  expect(found.findings.map(({ code }) => code)).toEqual([
    'server_version',
    'connections',
    'notification_queue',
    'hears',
  ])
})

it('a pooler in transaction mode is a problem, whose fix is PUBSUB_LISTEN_URL, and that helps', async (test) => {
  const { url } = await startOwn(test)
  const bouncer = await requirePgBouncer(test, { target: url })
  const found = await runDoctor({ DATABASE_URL: bouncer.url })
  expect(found.complaints).toEqual([
    problem('transaction_pooler', /is a pooler.*LISTEN succeeds and hears nothing/, /^set PUBSUB_LISTEN_URL/),
  ])
  expect(found.code).toBe(1)
  const mended = await runDoctor({ DATABASE_URL: bouncer.url, PUBSUB_LISTEN_URL: url })
  expect(mended.complaints).toEqual([])
  expect(mended.findings.at(-1)).toMatchObject({
    code: 'hears',
    message: expect.stringContaining('sent through a pooler, and heard past it'),
  })
  expect(mended.code).toBe(0)
  const pooledTwice = await runDoctor({ DATABASE_URL: url, PUBSUB_LISTEN_URL: bouncer.url })
  expect(pooledTwice.complaints).toEqual([problem('transaction_pooler', /pooler/, /^let PUBSUB_LISTEN_URL/)])
})

it('a pooler in session mode is well', async (test) => {
  const { url } = await startOwn(test)
  const bouncer = await requirePgBouncer(test, { target: url, poolMode: 'session' })
  const found = await runDoctor({ DATABASE_URL: bouncer.url })
  expect(found.complaints).toEqual([])
  expect(found.findings.at(-1)?.message).toContain('through a pooler that keeps a session for each client')
})

it('a PUBSUB_LISTEN_URL that leads to another database is a problem', async (test) => {
  const { url } = await startOwn(test)
  const found = await runDoctor({
    DATABASE_URL: url,
    PUBSUB_LISTEN_URL: url.replace(/\/postgres$/, '/template1'),
  })
  expect(found.complaints).toEqual([problem('not_heard', /not heard/, /the same database/)])
})

it('a hot standby is named', async (test) => {
  const server = await startOwn(test)
  await server.demote()
  const found = await runDoctor({ DATABASE_URL: server.url })
  expect(found.complaints).toEqual([problem('hot_standby', /hot standby/, /lead to the primary/)])
  expect(found.code).toBe(1)
})

it('a hot standby is no more than a warning where another host of the URL is the primary', async (test) => {
  const server = await startOwn(test)
  await server.demote()
  const primary = await startOwn(test, { password: new URL(server.url).password })
  const both = await runDoctor({
    DATABASE_URL: server.url.replace(`:${server.port}/`, `:${server.port},127.0.0.1:${primary.port}/`),
  })
  expect(both.complaints).toMatchObject([{ code: 'hot_standby', severity: 'warning' }])
  expect(both.code).toBe(0)
})

it('a server that does not take connections yet is named', async (test) => {
  const server = await startOwn(test, { settings: { hot_standby: 'off' } })
  await server.demote()
  const found = await runDoctor({ DATABASE_URL: server.url })
  expect(found.complaints).toEqual([problem('starting', /not (yet )?accepting|starting up/, /^wait/)])
})

it('who holds the notification queue up is named, first as a warning, and the fix helps', async (test) => {
  const { url } = await startOwn(test, { settings: { max_notify_queue_pages: 64 } })
  const [lazy, busy] = [connect(test, url, 'a lazy listener'), connect(test, url)]
  const fill = async (pages: number): Promise<void> => {
    for (let page = 0; page < pages; page += 1)
      await busy`select pg_notify('elsewhere', ${'x'.repeat(7_900)})`
  }
  await lazy`listen anything`
  await lazy`begin`
  const [session] = await lazy<{ pid: number }[]>`select pg_backend_pid() as pid`
  await fill(8)
  const early = await runDoctor({ DATABASE_URL: url })
  expect(early.complaints).toMatchObject([
    { code: 'notification_queue', severity: 'warning', message: expect.stringContaining('a lazy listener') },
  ])
  expect(early.code).toBe(0)
  await fill(32)
  const found = await runDoctor({ DATABASE_URL: url })
  expect(found.complaints).toEqual([
    problem(
      'notification_queue',
      new RegExp(
        `[5-9]\\d\\.\\d % full; .*process ${session?.pid} \\("a lazy listener".*idle in transaction for`,
      ),
      new RegExp(`^end it: select pg_terminate_backend\\(${session?.pid}\\)`),
    ),
  ])
  expect(found.code).toBe(1)
  await busy`select pg_terminate_backend(${session?.pid ?? 0})`
  expect((await runDoctor({ DATABASE_URL: url })).complaints).toEqual([])
})

it('a certificate that is not trusted, or of another name, is told, and a way that is not safe', async (test) => {
  const server = await startOwn(test, { tls: true })
  const root = `sslrootcert=${encodeURIComponent(server.caFile ?? '')}`
  expect(await complaintsOf(`${server.url}?sslmode=verify-full`)).toEqual([
    problem('certificate_untrusted', /self-signed/, /sslrootcert=/),
  ])
  const elsewhere = server.url.replace('127.0.0.1', '0.0.0.0')
  expect(await complaintsOf(`${elsewhere}?sslmode=verify-full&${root}`)).toEqual([
    problem('certificate_name', /does not match/, /as it stands in the certificate/),
  ])
  expect(await complaintsOf(`${server.url}?sslmode=verify-full&${root}`)).toEqual([])
  // A way that others may share: not this machine's own address, as far as the program can tell.
  expect(await complaintsOf(`${elsewhere}?sslmode=require`)).toMatchObject([
    { code: 'encryption', severity: 'warning', message: expect.stringContaining('not checked') },
  ])
  expect(await complaintsOf(elsewhere)).toMatchObject([
    { code: 'encryption', severity: 'warning', message: expect.stringContaining('is not encrypted') },
  ])
  expect(await complaintsOf(`${server.url}?sslmode=yes`)).toEqual([
    problem('url', /sslmode is none of disable, allow/, /correct DATABASE_URL/),
  ])
})

it('a certificate that has expired is told, and that a server has no TLS', async (test) => {
  const expired = await startOwn(test, { tls: 'expired' })
  const expiredRoot = `sslrootcert=${encodeURIComponent(expired.caFile ?? '')}`
  expect(await complaintsOf(`${expired.url}?sslmode=verify-full&${expiredRoot}`)).toEqual([
    problem('certificate_expired', /expired/, /renew/),
  ])
  expect(await complaintsOf(`${inject('postgresUrl')}?sslmode=require`)).toEqual([
    problem('tls_not_offered', /does not offer TLS/, /sslmode=disable/),
  ])
})

it('a server that wants TLS is told, and one that does not admit the user', async (test) => {
  const file = join(tmpdir(), `ps-hba-${randomUUID()}`)
  const rules = 'hostssl all nobody 127.0.0.1/32 reject\nhostssl all all 127.0.0.1/32 scram-sha-256\n'
  writeFileSync(file, rules, { mode: 0o644 })
  test.onTestFinished(() => rmSync(file))
  const strict = await startOwn(test, { tls: true, settings: { hba_file: file } })
  expect(await complaintsOf(strict.url)).toEqual([
    problem('tls_required', /no encryption/, /add sslmode=require/),
  ])
  const rejected = strict.url.replace('//postgres:', '//nobody:')
  expect(await complaintsOf(`${rejected}?sslmode=require`)).toEqual([
    problem('not_admitted', /rejects connection/, /pg_hba\.conf/),
  ])
})

it.each([
  ['a wrong password', { password: 'hunter2' }, problem('password', /refused the user/, /the password/)],
  ['an unknown user', { username: 'nobody' }, problem('password', /refused the user "nobody"/, /the user/)],
  [
    'a missing database',
    { pathname: '/nowhere' },
    problem('database_missing', /"nowhere" does not exist/, /create it/),
  ],
  [
    'an unknown host',
    { hostname: 'no-such-host.invalid' },
    problem('host_unknown', /no-such-host\.invalid/, /correct the host of DATABASE_URL/),
  ],
  ['a refused port', { port: '1' }, problem('refused', /ECONNREFUSED/, /start PostgreSQL/)],
])('%s is named, with what to do', async (_, changes, expected) => {
  const url = Object.assign(new URL(inject('postgresUrl')), changes)
  const found = await runDoctor({ DATABASE_URL: url.href })
  expect(found.complaints).toEqual([expected])
  expect(found.code).toBe(1)
  expect(found.output).not.toContain(url.password)
})

it('a server that says nothing, and one that is no PostgreSQL, are told apart', async (test) => {
  const mute = await startStranger(test, () => {})
  expect((await runDoctor({ DATABASE_URL: `postgres://user@127.0.0.1:${mute}/app` })).complaints).toEqual([
    problem('no_answer', /no answer within/, /firewall/),
  ])
  const other = await startStranger(test, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  expect((await runDoctor({ DATABASE_URL: `postgres://user@127.0.0.1:${other}/app` })).complaints).toEqual([
    problem('unreachable', /127\.0\.0\.1/, /whether a PostgreSQL stands/),
  ])
})

it('a server without a free connection is named, and one that is almost full is a warning', async (test) => {
  const settings = { max_connections: 10, superuser_reserved_connections: 0, max_wal_senders: 0 }
  const { url } = await startOwn(test, { settings })
  const open = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) await connect(test, url)`select 1`
  }
  await open(7)
  expect((await runDoctor({ DATABASE_URL: url })).complaints).toMatchObject([
    { code: 'connections', severity: 'warning', message: expect.stringMatching(/(9|10) of 10/) },
  ])
  await open(3)
  const found = await runDoctor({ DATABASE_URL: url })
  expect(found.complaints).toEqual([problem('too_many_connections', /too many clients/, /max_connections/)])
})

it('a user who may not publish is named', async (test) => {
  const { url } = await startOwn(test)
  const sql = connect(test, url)
  await sql.unsafe(
    `create role reader login password 'hunter2'; revoke execute on function pg_notify(text, text) from public`,
  )
  const limited = Object.assign(new URL(url), { username: 'reader', password: 'hunter2' }).href
  const found = await runDoctor({ DATABASE_URL: limited })
  expect(found.complaints).toEqual([
    problem('not_permitted', /"reader" may not call pg_notify/, /^grant execute/),
  ])
  expect(found.output).not.toContain('hunter2')
})

it('no part of a password is shown, however the URL is written', async () => {
  const port = await freePort()
  for (const url of [
    `postgres://user:s3@cret@127.0.0.1:${port}/app`,
    `postgres://user:s3/cret@127.0.0.1:${port}/app`,
    `postgres://user:s3?cret@127.0.0.1:${port}/app`,
    `postgres://user:s3#cret@127.0.0.1:${port}/app`,
    `postgres://user:s3%cret@127.0.0.1:${port}/app`,
    `postgres://user:s3:cret@127.0.0.1:${port}/app`,
    `postgres://user:s3cret`,
    `postgres://:s3cret`,
    `postgres://127.0.0.1:${port}/app?user=u&password=s3cret`,
    `postgres://127.0.0.1:${port}/app?user=u&password=s3&cret`,
    `postgres://127.0.0.1:${port}/app?user=u&password=s3#cret`,
    `postgres://127.0.0.1:${port}/app?user=u&password=s3@cret`,
    `postgres://127.0.0.1:${port}/app?user=u&password=s3/cret`,
    `host=127.0.0.1 port=${port} password=s3cret`,
  ]) {
    const found = await runDoctor({ DATABASE_URL: url, PUBSUB_LISTEN_URL: url })
    expect(found.code).toBe(1)
    expect(found.output).not.toMatch(/s3|cret/)
  }
}, 60_000)
