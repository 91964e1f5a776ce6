import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { hasDebianPackages, unpackDebianPackages } from './debian-packages.js'
import { onPath } from './on-path.js'

/** How to run a Redis server and its command line client. */
export interface RedisBinaries {
  readonly server: string
  readonly cli: string | undefined
  readonly environment: NodeJS.ProcessEnv
  /** Where it comes from, for people. */
  readonly source: string
}

/** Finds a Redis: on the PATH, else unpacked from the packages of Debian or Ubuntu. Gives the reason where there is none. */
export async function findRedis(): Promise<RedisBinaries | { reason: string }> {
  for (const [server, cli] of [
    ['redis-server', 'redis-cli'],
    ['valkey-server', 'valkey-cli'],
  ] as const) {
    const file = onPath(server)
    if (file !== undefined) return { server: file, cli: onPath(cli), environment: process.env, source: file }
  }
  if (!hasDebianPackages()) {
    return {
      reason:
        'no redis-server or valkey-server is on the PATH, and this is not Debian or Ubuntu: install one, or set REDIS_URL',
    }
  }
  try {
    return await unpack()
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    return {
      reason: `no redis-server is on the PATH, and its packages cannot be had (${because}): install it, or set REDIS_URL`,
    }
  }
}

async function unpack(): Promise<RedisBinaries> {
  const { folder, environment } = await unpackDebianPackages({
    name: 'redis',
    // redis-server and redis-cli are in redis-tools; the rest is what they link to.
    required: ['redis-tools', 'redis-server', 'libjemalloc2'],
    optional: ['liblzf1', 'libatomic1', 'liblua5.1-0', 'lua-cjson', 'lua-bitop'],
  })
  const server = join(folder, 'usr/bin/redis-server')
  const check = spawnSync(server, ['--version'], { env: environment, encoding: 'utf8' })
  if (check.status !== 0) {
    throw new Error(`the unpacked redis-server does not run: ${(check.stderr || String(check.error)).trim()}`)
  }
  return {
    server,
    cli: join(folder, 'usr/bin/redis-cli'),
    environment,
    source: 'packages of this system, unpacked',
  }
}
