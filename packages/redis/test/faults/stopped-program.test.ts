import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { RedisServer } from '@ps/services'
import { type Program, spawnProgram, waitFor } from '@ps/services/vitest'
import type { Redis } from 'ioredis'
import { describe, expect, it, type TestContext } from 'vitest'
import { connectAdmin, startOwnRedis } from '../observed-backend.js'

const file = fileURLToPath(new URL('listening-program.mjs', import.meta.url))

async function startProgram(
  test: TestContext,
): Promise<{ server: RedisServer; admin: Redis; program: Program }> {
  const server = await startOwnRedis(test)
  const program = spawnProgram(file, ['c'], { environment: { REDIS_URL: server.url } })
  test.onTestFinished(async () => void (await program.stop('SIGKILL')))
  await program.waitForOutput(/listening/)
  return { server, admin: connectAdmin(test, server.url), program }
}

/** The connections of the program: address and name. */
async function connections(admin: Redis): Promise<string[]> {
  const list = String(await admin.client('LIST')).match(/addr=\S+ .* name=@ps\S+/g) ?? []
  return list.map((line) => line.replace(/ .* /, ' ')).toSorted()
}

async function countPings(admin: Redis): Promise<number> {
  return Number(/cmdstat_ping:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)
}

/** Publishes numbers until `over`, then `end`. Returns the lines that the program has to write for them. */
async function publishUntil(admin: Redis, over: Promise<unknown>): Promise<string[]> {
  const isOver = over.then(() => true)
  const lines: string[] = []
  do {
    await admin.publish('c', String(lines.length))
    lines.push(`message ${lines.length}`)
  } while (!(await Promise.race([isOver, sleep(20)])))
  return lines
}

/** Expects the connections to stay, also over the heartbeats that follow. */
async function expectSame(admin: Redis, before: readonly string[]): Promise<void> {
  const pings = await countPings(admin)
  // Whatever it takes for a lost connection now, it would have by then: four more of each connection.
  await waitFor(async () => (await countPings(admin)) >= pings + 8)
  expect(await connections(admin)).toEqual(before)
}

// Each waits for seconds and does little.
describe.concurrent('a program that does nothing for a while', () => {
  it('stopped for 20 s: it goes on where it was, on the same connections', {
    timeout: 60_000,
  }, async (test) => {
    const { admin, program } = await startProgram(test)
    const before = await connections(admin)
    expect(before).toHaveLength(2)
    program.process.kill('SIGSTOP')
    // How long it is stopped is the case.
    const lines = await publishUntil(admin, sleep(20_000))
    expect(program.stdout()).not.toContain('message')
    program.process.kill('SIGCONT')
    await admin.publish('c', '"end"')
    await program.waitForOutput(/message end/)
    await expectSame(admin, before)
    expect(program.stdout().trim().split('\n')).toEqual(['listening', ...lines, 'message end'])
  })

  it('blocked for 3 s by its own callback: it hears all, on the same connections', async (test) => {
    const { admin, program } = await startProgram(test)
    const before = await connections(admin)
    await admin.publish('c', '"block"')
    await program.waitForOutput(/message block/)
    const lines = await publishUntil(admin, program.waitForOutput(/message 0/))
    await admin.publish('c', '"end"')
    await program.waitForOutput(/message end/)
    // Were it not blocked it would have heard the first before the third.
    expect(lines.length).toBeGreaterThan(20)
    await expectSame(admin, before)
    expect(program.stdout().trim().split('\n')).toEqual([
      'listening',
      'message block',
      ...lines,
      'message end',
    ])
  })

  it('stopped while more is published than the server keeps for it: it is told of one gap, and goes on', async (test) => {
    const { server, admin, program } = await startProgram(test)
    await admin.config('SET', 'client-output-buffer-limit', 'pubsub 1mb 0 0')
    program.process.kill('SIGSTOP')
    const bulk = JSON.stringify('x'.repeat(1_000_000))
    const isCut = (): boolean => server.log().includes('overcoming of output buffer limits')
    await waitFor(async () => {
      await admin.publish('c', bulk)
      return isCut()
    })
    program.process.kill('SIGCONT')
    await program.waitForOutput(/gap/)
    await program.waitForOutput(/ready/)
    await admin.publish('c', '"end"')
    await program.waitForOutput(/message end/)
    const lines = program.stdout().trim().split('\n')
    expect(lines.filter((line) => !line.startsWith('message x')).toSorted()).toEqual([
      'down',
      'gap',
      'listening',
      'message end',
      'ready',
    ])
    expect(lines.findLastIndex((line) => line.startsWith('message x'))).toBeLessThan(lines.indexOf('gap'))
  })
})
