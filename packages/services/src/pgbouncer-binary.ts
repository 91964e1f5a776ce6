import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { hasDebianPackages, unpackDebianPackages } from './debian-packages.js'
import { onPath } from './on-path.js'

/** How to run PgBouncer. */
export interface PgBouncerBinary {
  readonly file: string
  readonly environment: NodeJS.ProcessEnv
}

/** Finds PgBouncer: on the PATH, else unpacked from the packages of Debian or Ubuntu. Gives the reason where there is none. */
export async function findPgBouncer(): Promise<PgBouncerBinary | { reason: string }> {
  const file = onPath('pgbouncer')
  if (file !== undefined) return { file, environment: process.env }
  if (!hasDebianPackages()) {
    return { reason: 'no pgbouncer is on the PATH, and this is not Debian or Ubuntu: install it' }
  }
  try {
    return await unpack()
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    return {
      reason: `no pgbouncer is on the PATH, and its packages cannot be had (${because}): install it`,
    }
  }
}

async function unpack(): Promise<PgBouncerBinary> {
  const { folder, environment } = await unpackDebianPackages({
    name: 'pgbouncer',
    required: ['pgbouncer'],
    optional: ['libevent-2.1-7', 'libevent-2.1-7t64', 'libc-ares2', 'libcares2'],
  })
  const file = join(folder, 'usr/sbin/pgbouncer')
  const check = spawnSync(file, ['--version'], { env: environment, encoding: 'utf8' })
  if (check.status !== 0) {
    throw new Error(`the unpacked pgbouncer does not run: ${(check.stderr || String(check.error)).trim()}`)
  }
  return { file, environment }
}
