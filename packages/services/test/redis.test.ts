import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, it, vi } from 'vitest'
import { RedisUnavailable, startRedis, type RedisServer } from '../src/index.js'
import { findRedis } from '../src/redis-binaries.js'
import { requireRedis } from '../src/vitest.js'

const run = promisify(execFile)
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  vi.unstubAllEnvs()
})

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ps-test-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const command = async ({ cli = '', environment }: RedisServer, given: string[]): Promise<string> => {
  const { stdout } = await run(cli, ['--no-auth-warning', ...given], { env: environment })
  return stdout.trim()
}

it('takes settings and a password, refuses a wrong one, and proves its name over TLS', async (context) => {
  requireRedis(context)
  const server = await startRedis({ tls: true, password: 'secret', settings: { maxmemory: '64mb' } })
  cleanups.push(() => server.stop())
  if (server.cli === undefined) context.skip('this Redis came without redis-cli')
  const at = ['-h', '127.0.0.1', '-p', String(server.port), '--tls', '--cacert', server.caFile ?? '']
  expect(await command(server, [...at, '-a', 'secret', 'config', 'get', 'maxmemory'])).toBe(
    'maxmemory\n67108864',
  )
  expect(await command(server, [...at, '-a', 'wrong', 'ping'])).toMatch(/NOAUTH|WRONGPASS/)
  await expect(command(server, ['-p', String(server.port), '--tls', 'ping'])).rejects.toThrow(/certificate/i)
})

it('leaves nothing behind when it cannot start, and says why', async (context) => {
  requireRedis(context)
  const folder = newFolder()
  vi.stubEnv('TMPDIR', folder)
  await expect(startRedis({ settings: { bogus: 'x' } })).rejects.toThrow(/bogus/)
  expect(readdirSync(folder)).toEqual([])
})

// Whoever takes connections on its port is not it, and would answer in its place.
it('does not start on a port that another program has, and says so', async (context) => {
  requireRedis(context)
  const other = createServer((socket) => socket.destroy())
  await once(other.listen(0, '127.0.0.1'), 'listening')
  cleanups.push(() => other.close())
  const { port } = other.address() as AddressInfo
  await expect(startRedis({ port })).rejects.toThrow(/did not start[^]*in use/)
})

it('says what to do where no Redis can be had', async () => {
  // No program at all is on this PATH, so neither Redis, nor apt-get, nor Docker.
  vi.stubEnv('PATH', newFolder())
  await expect(startRedis()).rejects.toThrow(RedisUnavailable)
  expect(await findRedis()).toMatchObject({ reason: expect.stringMatching(/install one, or set REDIS_URL/) })
})
