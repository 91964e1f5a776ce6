import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, type TestContext, vi } from 'vitest'
import {
  type RedisCluster,
  type RedisClusterNode,
  type RedisClusterOptions,
  startRedisCluster,
} from '../src/index.js'
import { requireRedis, waitFor } from '../src/vitest.js'
import { isAlive } from './is-alive.js'

const startOwn = async (test: TestContext, options: RedisClusterOptions): Promise<RedisCluster> => {
  requireRedis(test)
  const cluster = await startRedisCluster(options)
  test.onTestFinished(() => cluster.stop())
  return cluster
}

it('serves every slot with a password, gives a slot to another node, and ends every process', async (test) => {
  const cluster = await startOwn(test, { password: 'secret' })
  const [first, second] = cluster.nodes as [RedisClusterNode, RedisClusterNode]
  expect(cluster.url).toMatch(/^redis\+cluster:\/\/:secret@(127\.0\.0\.1:\d+,?){3}$/)
  expect(await first.command('CLUSTER', 'INFO')).toContain('cluster_slots_ok:16384')
  expect(await cluster.ownerOf(0)).toBe(first)
  await cluster.migrateSlot(0, second)
  expect(await cluster.ownerOf(0)).toBe(second)
  await waitFor(() =>
    first.command('SPUBLISH', '{06S}', 'x').then(
      () => false,
      (error: Error) => error.message.startsWith(`MOVED 0 127.0.0.1:${second.port}`),
    ),
  )
  const processes = cluster.nodes.map(({ processId }) => processId)
  expect(processes.every(isAlive)).toBe(true)
  await cluster.stop()
  expect(processes.some(isAlive)).toBe(false)
})

it('has replicas that take over from a master that is killed, and takes it back as a replica', {
  timeout: 60_000,
}, async (test) => {
  const cluster = await startOwn(test, { replicas: 1 })
  const master = await cluster.ownerOf(0)
  master.kill('SIGKILL')
  const successor = await waitFor(
    async () => {
      const owner = await cluster.ownerOf(0)
      return owner === master ? undefined : owner
    },
    { timeout: 20_000 },
  )
  expect(cluster.nodes.indexOf(successor)).toBe(3)
  await master.restart()
  await cluster.settled()
  await waitFor(async () => String(await master.command('ROLE')).startsWith('slave'))
})

it('leaves nothing behind when not all of its nodes can be used, and says why', async (test) => {
  requireRedis(test)
  const folder = mkdtempSync(join(tmpdir(), 'ps-test-'))
  test.onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  vi.stubEnv('TMPDIR', folder)
  test.onTestFinished(() => void vi.unstubAllEnvs())
  const other = createServer((socket) => socket.destroy())
  await once(other.listen(0, '127.0.0.1'), 'listening')
  test.onTestFinished(() => void other.close())
  const { port } = other.address() as AddressInfo
  // They have started, and nobody may ask them.
  await expect(startRedisCluster({ settings: { requirepass: 'unknown' } })).rejects.toThrow(/NOAUTH/)
  // They have taken the port that clients use by then.
  await expect(startRedisCluster({ settings: { 'cluster-port': String(port) } })).rejects.toThrow(/in use/)
  expect(readdirSync(folder)).toEqual([])
})
