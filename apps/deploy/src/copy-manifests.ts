import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Copies what pnpm reads of the workspace, and what was built. */
export function copyManifests(workspace: string, to: string): void {
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'])
    cpSync(join(workspace, file), join(to, file))
  for (const parent of ['packages', 'apps']) {
    for (const name of readdirSync(join(workspace, parent))) {
      const member = join(parent, name)
      if (!existsSync(join(workspace, member, 'package.json'))) continue
      mkdirSync(join(to, member), { recursive: true })
      cpSync(join(workspace, member, 'package.json'), join(to, member, 'package.json'))
      if (existsSync(join(workspace, member, 'dist')))
        cpSync(join(workspace, member, 'dist'), join(to, member, 'dist'), { recursive: true })
    }
  }
}
