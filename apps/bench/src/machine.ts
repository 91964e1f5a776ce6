import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, cpus, release, totalmem, type } from 'node:os'

/** The machine, in a line. */
export function describeMachine(): string {
  const all = cpus()
  const model = all[0]?.model.trim() ?? 'unknown CPU'
  const gigabytes = Math.round(totalmem() / 1024 ** 3)
  return `${all.length} × ${model}, ${gigabytes} GB, ${type()} ${release()} ${arch()}`
}

const packages = [
  'ioredis',
  'redis',
  '@boringnode/bus',
  'graphql-redis-subscriptions',
  'mqemitter-redis',
  'postgres',
  'pg',
  'pg-listen',
  'pg-pubsub',
  'fastify',
  '@fastify/sse',
  'better-sse',
]

/** The versions of Node and of the libraries. */
export function readVersions(): Readonly<Record<string, string>> {
  const require = createRequire(import.meta.url)
  const versions: Record<string, string> = { node: process.versions.node }
  for (const name of packages) {
    // Not every package lets its package.json be imported.
    const file = (require.resolve.paths(name) ?? [])
      .map((folder) => `${folder}/${name}/package.json`)
      .map(readVersion)
      .find((version) => version !== undefined)
    if (file !== undefined) versions[name] = file
  }
  return versions
}

function readVersion(file: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version?: string }
    return version
  } catch {
    return undefined
  }
}
