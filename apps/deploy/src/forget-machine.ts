import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from './manifest.js'

/** Takes the folders of this machine out of what pnpm has deployed: nothing reads them any more. */
export function forgetMachine(folder: string): void {
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) rmSync(join(folder, file), { force: true })
  const modules = join(folder, 'node_modules')
  for (const entry of readdirSync(modules))
    if (entry.startsWith('.') && entry !== '.bin') rmSync(join(modules, entry), { recursive: true })
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const installed = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')) as Manifest
    manifest.dependencies = { ...manifest.dependencies, [name]: installed.version }
  }
  delete manifest.devDependencies
  // pnpm may have linked it to another.
  rmSync(file)
  writeFileSync(file, `${JSON.stringify(manifest, undefined, 2)}\n`)
}
