import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { startGuardedProcess } from './guarded-process.js'
import { isReachableByAll, serverUser } from './server-user.js'

/**
 * Where data for `directory` is kept. As root PostgreSQL runs as `nobody`; where that user cannot come to the folder, the data
 * stands in a folder of its own under /var/tmp, and `directory` is a link to it.
 */
export function placeFor(directory: string): string {
  mkdirSync(dirname(directory), { recursive: true })
  if (serverUser() === undefined || isReachableByAll(directory)) return directory
  const place = `/var/tmp/ps-data-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}`
  // The folder may be a new one at the place of an old one: only what is linked from here is ours.
  if (!existsSync(directory)) {
    rmSync(place, { recursive: true, force: true })
    rmSync(directory, { force: true })
    symlinkSync(place, directory)
  }
  return place
}

export interface DatabaseCluster {
  /** Where it is made. */
  readonly data: string
  readonly initdb: string
  readonly user: string
  readonly password: string
  readonly encoding: string
  /** Whether it must outlive a crash of the machine. */
  readonly isDurable: boolean
  /** Takes the password file meanwhile. */
  readonly temporaryFolder: string
  /** Gives a path to the server's user. */
  readonly own: (path: string) => string
}

/** Makes a new database cluster, unless there is one. Throws, and touches nothing, where the folder holds anything else. */
export async function initializeData({
  data,
  initdb,
  user,
  password,
  encoding,
  isDurable,
  temporaryFolder,
  own,
}: DatabaseCluster): Promise<void> {
  if (existsSync(join(data, 'PG_VERSION'))) return
  if (existsSync(data) && readdirSync(data).length > 0) {
    throw new Error(`${data} is neither empty nor PostgreSQL data: choose another dataDirectory`)
  }
  mkdirSync(dirname(data), { recursive: true })
  // Made beside it and renamed: what is killed half-way must not be taken for a whole one.
  const unfinished = own(mkdtempSync(`${data}.unfinished-`))
  const passwordFile = join(temporaryFolder, 'password')
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  own(passwordFile)
  try {
    await runAsServer([temporaryFolder, unfinished], initdb, [
      `--pgdata=${unfinished}`,
      `--username=${user}`,
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      `--encoding=${encoding}`,
      '--locale=C',
      '--no-instructions',
      ...(isDurable ? [] : ['--no-sync']),
    ])
    renameSync(unfinished, data)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    throw error
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

async function runAsServer(
  temporaryFolders: readonly string[],
  command: string,
  given: readonly string[],
): Promise<void> {
  const started = await startGuardedProcess({
    temporaryFolders,
    command,
    arguments: given,
    userId: serverUser(),
  })
  // A guarded process keeps no program alive, and this one is waited for.
  const alive = setInterval(() => {}, 2 ** 30)
  const code = await started.exited.finally(() => clearInterval(alive))
  if (code !== 0) throw new Error(`${command} failed: ${started.output().trim()}`)
}
