import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../run-command.js'
import { projectWithModulesFolder } from './modules-folder.js'
import type { PackageManager } from './package-manager.js'
import { writeProject } from './write-project.js'

export const npm: PackageManager = {
  name: 'npm',
  canRequireModules: true,
  async install(options) {
    const { folder, registry } = options
    writeProject(options)
    writeFileSync(join(folder, '.npmrc'), `@ps:registry=${registry}\n`)
    await runCommand('npm', ['install', '--no-audit', '--no-fund'], { folder })
    return projectWithModulesFolder(folder)
  },
}
