import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

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
  if (onPath('apt-get') === undefined || onPath('dpkg') === undefined) {
    return {
      reason:
        'no redis-server or valkey-server is on the PATH, and this is not Debian or Ubuntu: install one, or set REDIS_URL',
    }
  }
  try {
    return await unpackPackages()
  } catch (error) {
    const lines = String(error instanceof Error ? error.message : error).split('\n')
    // The first line is only the command; what apt-get has to say begins with "E:".
    const line = lines.find((text) => text.startsWith('E: ')) ?? lines[0]
    return {
      reason: `no redis-server is on the PATH, and its packages cannot be had (${line}): install it, or set REDIS_URL`,
    }
  }
}

export function onPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file))
}

// redis-server and redis-cli are in redis-tools; the rest is what they link to and a small system may lack.
const packages = [
  'redis-tools',
  'redis-server',
  'liblzf1',
  'libjemalloc2',
  'libatomic1',
  'liblua5.1-0',
  'lua-cjson',
  'lua-bitop',
]
const optional = new Set(['liblzf1', 'libatomic1', 'liblua5.1-0', 'lua-cjson', 'lua-bitop'])

/** Downloads the packages and unpacks them into a folder of this user, without installing anything; once a user. */
async function unpackPackages(): Promise<RedisBinaries> {
  const cache = cacheFolder()
  const place = join(cache, 'redis')
  if (!existsSync(join(place, 'usr/bin'))) {
    mkdirSync(cache, { recursive: true })
    const building = mkdtempSync(join(cache, 'redis-'))
    try {
      await download(building)
      for (const name of readdirSync(building).filter((file) => file.endsWith('.deb'))) {
        await run('dpkg', ['-x', join(building, name), building])
        rmSync(join(building, name))
      }
      renameSync(building, place)
    } catch (error) {
      rmSync(building, { recursive: true, force: true })
      // Another process may have been quicker.
      if (!existsSync(join(place, 'usr/bin'))) throw error
    }
  }
  const libraries = readdirSync(join(place, 'usr/lib'))
    .map((folder) => join(place, 'usr/lib', folder))
    .join(delimiter)
  const environment = { ...process.env, LD_LIBRARY_PATH: libraries }
  const server = join(place, 'usr/bin/redis-server')
  const check = spawnSync(server, ['--version'], { env: environment, encoding: 'utf8' })
  if (check.status !== 0) {
    throw new Error(`the unpacked redis-server does not run: ${(check.stderr || String(check.error)).trim()}`)
  }
  return {
    server,
    cli: join(place, 'usr/bin/redis-cli'),
    environment,
    source: 'packages of this system, unpacked',
  }
}

async function download(folder: string): Promise<void> {
  const fetchAll = async (): Promise<void> => {
    for (const name of packages) {
      try {
        await run('apt-get', ['download', '-q', name], { cwd: folder })
      } catch (error) {
        if (!optional.has(name)) throw error
      }
    }
  }
  try {
    await fetchAll()
  } catch (error) {
    // A fresh machine has no lists of packages yet; only root can fetch them.
    if (process.getuid?.() !== 0) throw error
    await run('apt-get', ['update', '-q'])
    await fetchAll()
  }
}

/** Where unpacked programs are kept, for this user. */
function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  try {
    mkdirSync(base, { recursive: true })
    return join(base, 'ps-services')
  } catch {
    return join(tmpdir(), `ps-services-${process.getuid?.() ?? ''}`)
  }
}
