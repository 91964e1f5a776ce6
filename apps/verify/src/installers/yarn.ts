import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type CommandResult, runCommand } from '../run-command.js'
import type { PackageManager, RunOptions } from './package-manager.js'
import { writeProject } from './write-project.js'

/** Yarn 4 with Plug'n'Play, as it comes: there is no `node_modules` at all. */
export const yarn: PackageManager = {
  name: 'yarn',
  // Node reads what is required this way by itself, and cannot look into Yarn's archives.
  canRequireModules: false,
  async install(options) {
    const { folder, registry } = options
    writeProject(options)
    const settings = {
      npmScopes: { ps: { npmRegistryServer: registry } },
      unsafeHttpWhitelist: ['127.0.0.1'],
      enableTelemetry: false,
      enableImmutableInstalls: false,
      // It takes nothing that was published today.
      npmPreapprovedPackages: ['@ps/*'],
      // What another run has published under the same version is not what is meant.
      globalFolder: join(dirname(folder), 'yarn-global'),
    }
    writeFileSync(join(folder, '.yarnrc.yml'), JSON.stringify(settings))
    writeFileSync(join(folder, 'yarn.lock'), '')
    const registryOfOthers = await runCommand('npm', ['config', 'get', 'registry'], { folder })
    const found = await runCommand(
      'npx',
      ['--yes', '--package', '@yarnpkg/cli-dist@4', '--call', 'command -v yarn'],
      { folder },
    )
    const execute = (
      given: readonly string[],
      { environment, mayFail }: RunOptions = {},
    ): Promise<CommandResult> =>
      runCommand(found.stdout.trim(), given, {
        folder,
        mayFail,
        environment: { YARN_NPM_REGISTRY_SERVER: registryOfOthers.stdout.trim(), ...environment },
      })
    await execute(['install'])
    return {
      folder,
      run: (file, runOptions) => execute(['node', file], runOptions),
      runProgram: (name, given, runOptions) => execute(['run', name, ...given], runOptions),
      has: (name) => readFileSync(join(folder, 'yarn.lock'), 'utf8').includes(`\n"${name}@`),
    }
  },
}
