import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from './manifest.js'

export interface Choices {
  readonly apps: readonly string[]
  readonly backends: readonly string[]
}

/** An app can be deployed where it leaves the choice of its backends open; these are what it leaves open. */
export function listChoices(workspace: string): Choices {
  const manifests = readdirSync(join(workspace, 'apps'))
    .map((app) => join(workspace, 'apps', app, 'package.json'))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Manifest)
    .filter(({ peerDependenciesMeta }) => peerDependenciesMeta !== undefined)
  const optional = manifests.flatMap(({ peerDependenciesMeta }) => Object.keys(peerDependenciesMeta ?? {}))
  return {
    apps: manifests.map(({ name }) => name.replace('@ps/', '')),
    backends: [...new Set(optional)].map((name) => name.replace('@ps/', '')).toSorted(),
  }
}
