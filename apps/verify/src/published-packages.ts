import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from './manifest.js'

export interface PublishedPackage {
  readonly name: string
  readonly folder: string
  readonly manifest: Manifest
}

/** Every package below `packages/` that is not private. */
export function readPublishedPackages(workspace: string): PublishedPackage[] {
  const parent = join(workspace, 'packages')
  return readdirSync(parent)
    .map((entry) => join(parent, entry))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
      return { name: manifest.name, folder, manifest }
    })
    .filter(({ manifest }) => manifest.private !== true)
}
