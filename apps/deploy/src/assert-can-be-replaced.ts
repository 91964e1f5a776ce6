import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from './manifest.js'

/** Throws where the folder holds anything but an earlier deployment of the same package. */
export function assertCanBeReplaced(folder: string, name: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return
  const manifest = join(folder, 'package.json')
  const found = existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')) as Manifest) : undefined
  if (found?.name !== name || existsSync(join(folder, 'src')))
    throw new Error(`${folder} is not empty: name another folder with --to, or remove it`)
}
