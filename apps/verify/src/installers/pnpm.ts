import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runPnpm } from '../pnpm.js'
import { projectWithModulesFolder } from './modules-folder.js'
import type { PackageManager } from './package-manager.js'
import { writeProject } from './write-project.js'

/** With its own layout of `node_modules`, in which a package sees only what it declares. */
export const pnpm: PackageManager = {
  name: 'pnpm',
  canRequireModules: true,
  async install(options) {
    const { folder, registry } = options
    writeProject(options)
    writeFileSync(join(folder, '.npmrc'), `@ps:registry=${registry}\n`)
    // Without one it could take a folder above for the workspace.
    writeFileSync(join(folder, 'pnpm-workspace.yaml'), "packages: ['.']\nallowBuilds: { esbuild: true }\n")
    await runPnpm(['install', '--no-frozen-lockfile'], { folder })
    return projectWithModulesFolder(folder)
  },
}
