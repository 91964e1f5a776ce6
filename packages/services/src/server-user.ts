import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** `nobody` on Linux and macOS alike, as far as file permissions go. */
const nobody = 65_534

/** The user that PostgreSQL must run as: it refuses root. Undefined where we are an ordinary user already. */
export const serverUser = (): number | undefined => (process.getuid?.() === 0 ? nobody : undefined)

/** Whether every folder above `path` may be passed through by any user. */
export function isReachableByAll(path: string): boolean {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}
