import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import type { Manifest } from './manifest.js'

/** Makes the backends dependencies of the app, in its manifest and in the lockfile alike, and the others nothing to it. */
export function chooseBackends(workspace: string, app: string, backends: readonly string[]): void {
  const manifestFile = join(workspace, app, 'package.json')
  const lockfile = join(workspace, 'pnpm-lock.yaml')
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as Manifest
  const lock = parseDocument(readFileSync(lockfile, 'utf8'))
  for (const peer of Object.keys(manifest.peerDependenciesMeta ?? {})) {
    const range = manifest.devDependencies?.[peer]
    const locked: unknown = lock.getIn(['importers', app, 'devDependencies', peer])
    if (range === undefined || locked === undefined)
      throw new Error(`${app} has ${peer} neither as a development dependency nor in the lockfile`)
    delete manifest.devDependencies?.[peer]
    lock.deleteIn(['importers', app, 'devDependencies', peer])
    if (!backends.some((name) => peer === `@ps/${name}`)) continue
    manifest.dependencies = { ...manifest.dependencies, [peer]: range }
    lock.setIn(['importers', app, 'dependencies', peer], locked)
  }
  delete manifest.peerDependencies
  delete manifest.peerDependenciesMeta
  writeFileSync(manifestFile, `${JSON.stringify(manifest, undefined, 2)}\n`)
  writeFileSync(lockfile, lock.toString())
}
