import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { debianVersion, hasDebianPackages, unpackDebianPackages } from './debian-packages.js'
import { libpqLibraries } from './libpq-libraries.js'
import { onPath } from './on-path.js'

const run = promisify(execFile)

/** How to run psql. */
export interface PsqlBinary {
  readonly file: string
  readonly environment: NodeJS.ProcessEnv
  /** For people. */
  readonly versions: string
}

/** Finds psql: on the PATH, else unpacked from the packages of Debian or Ubuntu. Gives the reason where there is none. */
export async function findPsql(): Promise<PsqlBinary | { reason: string }> {
  const file = onPath('psql')
  if (file !== undefined) {
    // Debian's is there without a client of any version, too, and then says so.
    const versions = await versionOf(file, process.env).catch(() => undefined)
    if (versions !== undefined) return { file, environment: process.env, versions }
  }
  if (!hasDebianPackages()) {
    return { reason: 'no psql is on the PATH, and this is not Debian or Ubuntu: install it' }
  }
  try {
    return await unpack()
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    return { reason: `no psql is on the PATH, and its packages cannot be had (${because}): install it` }
  }
}

const versionOf = async (file: string, env: NodeJS.ProcessEnv): Promise<string> =>
  (await run(file, ['--version'], { env })).stdout.trim()

async function unpack(): Promise<PsqlBinary> {
  const { folder, environment } = await unpackDebianPackages({
    name: 'psql',
    async required() {
      const [version = ''] = /^\d+/.exec(await debianVersion('postgresql-client')) ?? []
      return [`postgresql-client-${version}`, 'libpq5']
    },
    optional: ['libreadline8', 'libreadline8t64', 'liblz4-1', 'libzstd1', ...libpqLibraries],
  })
  const versions = join(folder, 'usr/lib/postgresql')
  const [version = ''] = readdirSync(versions)
  const file = join(versions, version, 'bin/psql')
  return { file, environment, versions: await versionOf(file, environment) }
}
