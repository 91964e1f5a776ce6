import { expect, it, type TestContext } from 'vitest'
import { type RedisSentinel, type RedisSentinelOptions, startRedisSentinel } from '../src/index.js'
import { requireRedis, waitFor } from '../src/vitest.js'
import { isAlive } from './is-alive.js'

const startOwn = async (test: TestContext, options: RedisSentinelOptions): Promise<RedisSentinel> => {
  requireRedis(test)
  const sentinel = await startRedisSentinel(options)
  test.onTestFinished(() => sentinel.stop())
  return sentinel
}

it('has a replica that takes over from a master that is killed, and takes it back as a replica', {
  timeout: 60_000,
}, async (test) => {
  const sentinel = await startOwn(test, { password: 'secret', sentinelPassword: 'other' })
  expect(sentinel.url).toMatch(
    /^redis\+sentinel:\/\/:secret@(127\.0\.0\.1:\d+,?){3}\/main\?sentinelPassword=other$/,
  )
  const [first, second] = sentinel.servers
  expect(await sentinel.master()).toBe(first)
  first?.kill('SIGKILL')
  await waitFor(async () => (await sentinel.master()) === second, { timeout: 20_000 })
  await first?.restart()
  await sentinel.settled()
  await waitFor(async () => String(await first?.command('ROLE')).startsWith('slave'))
  const processes = [...sentinel.servers, ...sentinel.sentinels].map(({ processId }) => processId)
  expect(processes.every(isAlive)).toBe(true)
  await sentinel.stop()
  expect(processes.some(isAlive)).toBe(false)
})
