import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workspace } from '../workspace.js'
import type { ProjectOptions } from './package-manager.js'

/** Writes the manifest of a project, and our programs into it. */
export function writeProject({ folder, dependencies }: ProjectOptions): void {
  mkdirSync(folder, { recursive: true })
  const manifest = { name: 'somebody', version: '1.0.0', private: true, type: 'module', dependencies }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2))
  cpSync(join(workspace, 'apps/verify/programs'), folder, { recursive: true })
}
