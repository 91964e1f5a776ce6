import { fileURLToPath } from 'node:url'
import { freePort, startRedisCluster, startRedisSentinel } from '@ps/services'
import { type Program, requireRedis, spawnProgram, uniqueName } from '@ps/services/vitest'
import { afterEach, describe, expect, inject, it } from 'vitest'

const file = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const programs: Program[] = []
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.stop('SIGKILL')))
})

const start = (environment: Record<string, string>, ...given: string[]): Program => {
  const program = spawnProgram(file, given, { environment })
  programs.push(program)
  return program
}

const run = async (environment: Record<string, string>, ...given: string[]) => {
  const program = start(environment, ...given)
  const { code } = await program.exited
  return { code, stdout: program.stdout(), stderr: program.stderr() }
}

const postgres = () => ({ DATABASE_URL: inject('postgresUrl') })

describe('two terminals', () => {
  it.for(['postgres', 'redis'])(
    'show it working over %s, the message as it was given',
    async (backend, context) => {
      const environment =
        backend === 'postgres' ? postgres() : { PUBSUB_BACKEND: 'redis', REDIS_URL: requireRedis(context) }
      const channel = uniqueName('greetings')
      const listener = start(environment, 'listen', channel, '--count', '2', '--timeout', '20')
      await listener.waitForOutput(/listening on/)
      const published = await run(environment, 'publish', channel, '{"hello":"wörld"}')
      expect(published).toMatchObject({ code: 0, stdout: '' })
      expect(published.stderr).toContain(`published on ${channel} over ${backend}`)
      await run(environment, 'publish', channel)
      expect((await listener.exited).code).toBe(0)
      const [first, second] = listener.stdout().trim().split('\n')
      expect(first).toBe('{"hello":"wörld"}')
      expect(JSON.parse(second ?? '')).toMatchObject({ from: 'pubsub' })
    },
  )

  it('need no arguments', async () => {
    const environment = { ...postgres(), PUBSUB_PREFIX: uniqueName('prefix') }
    const listener = start(environment, 'listen', '--count', '1')
    await listener.waitForOutput(/listening on hello/)
    expect((await run(environment, 'publish')).code).toBe(0)
    expect((await listener.exited).code).toBe(0)
  })

  it('end with Ctrl-C, exit code 0 and nothing left running', async () => {
    const listener = start(postgres(), 'listen', uniqueName('c'))
    await listener.waitForOutput(/listening on/)
    expect(await listener.stop('SIGINT')).toEqual({ code: 0, signal: null })
  })
})

describe('listen', () => {
  it('ends without a word when its reader goes away, as head does', async () => {
    const channel = uniqueName('c')
    const listener = start(postgres(), 'listen', channel)
    await listener.waitForOutput(/listening on/)
    listener.process.stdout?.destroy()
    await run(postgres(), 'publish', channel)
    expect(await listener.exited).toEqual({ code: 0, signal: null })
    expect(listener.stderr()).toBe(`listening on ${channel}\n`)
  })

  it('fails when fewer messages came in time than asked for', async () => {
    const { code, stderr } = await run(
      postgres(),
      'listen',
      uniqueName('c'),
      '--count',
      '1',
      '--timeout',
      '0.1',
    )
    expect(code).toBe(1)
    expect(stderr).toContain('error: 0 of 1 messages came')
  })
})

describe('both and doctor', () => {
  it('both says that everything arrived, with times', async () => {
    const { code, stdout } = await run(postgres(), 'both', '--count', '20')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^postgres: 20 published, 20 accepted, 20 arrived in order; round trip min [\d.]+ ms, p50/,
    )
  })

  it('both tests the backend that it is told, not what stands behind it', async () => {
    const environment = { ...postgres(), REDIS_URL: `redis://127.0.0.1:${await freePort()}` }
    const { code, stderr } = await run(environment, 'both', '--backend', 'redis')
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: no broker answered within 5 s \(redis: .*ECONNREFUSED.*\): start it, or correct REDIS_URL\n$/,
    )
  })

  it('doctor says what would be used and why, and shows no password', async () => {
    const { code, stdout, stderr } = await run(postgres(), 'doctor')
    expect(code).toBe(0)
    expect(stdout).toContain('chosen: backend postgres (the default), no fallback')
    expect(stdout).toContain('postgres: well; it publishes and hears itself')
    expect(stdout + stderr).not.toContain(new URL(inject('postgresUrl')).password)
  })

  it('doctor shows no password of a URL that stands where the name of a backend belongs', async () => {
    const environment = { ...postgres(), PUBSUB_FALLBACK: 'postgres://someone:s3cret@127.0.0.1:1/app' }
    const { code, stdout, stderr } = await run(environment, 'doctor')
    expect(code).toBe(1)
    expect(stdout).toMatch(/problem {2}configuration: PUBSUB_FALLBACK is /)
    expect(stdout + stderr).not.toContain('s3cret')
  })

  it.for([
    ['a cluster', () => startRedisCluster({ password: 'hunter2' })],
    ['sentinels', () => startRedisSentinel({ password: 'hunter2', sentinelPassword: 'hunter3' })],
  ] as const)('doctor finds %s well, and shows no password', async ([, startServers], test) => {
    requireRedis(test)
    const { url, stop } = await startServers()
    test.onTestFinished(stop)
    const { code, stdout, stderr } = await run({ PUBSUB_BACKEND: 'redis', REDIS_URL: url }, 'doctor')
    expect(stdout).toContain('redis: well; it publishes and hears itself')
    expect(code).toBe(0)
    expect(stdout).toContain(`${url.replace(/\/\/.*@/, '//').replace(/\?.*/, '')}\n`)
    expect(stdout + stderr).not.toContain('hunter')
  })

  it.for([
    'redis+cluster://:s3/cret@a,b',
    'redis://user:1/s3cret@a',
    'redis+sentinel://:s3?cret@a/main',
    'redis+sentinel://a/main?sentinelPassword=s3#cret',
    'redis+sentinel://a/main?sentinelPassword=s3@cret',
  ])('doctor shows no part of a password that is not encoded: %s', async (url) => {
    const { code, stdout, stderr } = await run({ PUBSUB_BACKEND: 'redis', REDIS_URL: url }, 'doctor')
    expect(code).toBe(1)
    expect(stdout).toContain('redis: NOT WELL: the Redis URL is unusable')
    expect(stdout + stderr).not.toMatch(/s3|cret/)
  })
})

describe('a mistake is told in one line, with exit code 1, no stack and no password', () => {
  const url = 'postgres://someone:s3cret@127.0.0.1:1/app'
  it.each<[string, Record<string, string>, string[], RegExp]>([
    ['an unknown backend', { PUBSUB_BACKEND: 'kafka' }, ['publish'], /PUBSUB_BACKEND is "kafka": use one of/],
    ['no DATABASE_URL', {}, ['publish'], /DATABASE_URL is not set/],
    ['an unusable URL', { DATABASE_URL: 'nonsense' }, ['publish'], /URL is unusable/],
    [
      'a server that is not there',
      { DATABASE_URL: url },
      ['publish'],
      /no broker answered within 5 s .*ECONNREFUSED/,
    ],
    [
      'a server that is not there, to listen to',
      { DATABASE_URL: url },
      ['listen'],
      /no broker answered within 5 s/,
    ],
    ['no JSON', { DATABASE_URL: url }, ['publish', 'c', 'text'], /the message is not JSON: text/],
    ['an empty channel', { DATABASE_URL: url }, ['publish', ''], /invalid channel: it is empty/],
    ['an unknown command', {}, ['subscribe'], /there is no command "subscribe"/],
    ['a command that every object has', {}, ['constructor'], /there is no command "constructor"/],
    ['an unknown option', {}, ['listen', '--conut', '1'], /--conut/],
    ['too many arguments', {}, ['publish', 'c', '{', '}'], /at most 2 arguments/],
    ['a count that is no number', {}, ['listen', '--count', 'many'], /--count is "many"/],
    [
      'a time that is too long to wait for',
      { DATABASE_URL: url },
      ['listen', '--timeout', '2147484'],
      /--timeout is "2147484": use seconds, at most 2147483/,
    ],
    ['the memory backend', { PUBSUB_BACKEND: 'memory' }, ['publish'], /does not leave this process/],
  ])('%s', async (_, environment, given, words) => {
    const { code, stdout, stderr } = await run(environment, ...given)
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(words)
    expect(stderr).toMatch(/^error: [^\n]+\n$/)
    expect(stderr).not.toContain('s3cret')
  })

  it('a wrong password', async () => {
    const wrong = new URL(inject('postgresUrl'))
    wrong.password = 'wr0ng'
    const { code, stderr } = await run({ DATABASE_URL: wrong.href }, 'publish')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: [^\n]*refused[^\n]*check the user and the password[^\n]*\n$/)
    expect(stderr).not.toContain('wr0ng')
  })
})

describe('redis that is not there', () => {
  it('is a warning where postgres stands behind it, and it works', async () => {
    const environment = {
      ...postgres(),
      PUBSUB_BACKEND: 'redis',
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    }
    const { code, stderr } = await run(environment, 'publish', uniqueName('c'))
    expect(code).toBe(0)
    expect(stderr).toMatch(/warning: publishing over postgres: redis is unreachable/)
    expect(stderr).toMatch(/published on .* over postgres/)
  })
})
