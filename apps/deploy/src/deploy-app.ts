import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseBackends } from './choose-backends.js'
import { copyManifests } from './copy-manifests.js'
import { forgetMachine } from './forget-machine.js'
import { replaceDeployment } from './replace-deployment.js'

export interface DeployOptions {
  readonly workspace: string
  readonly app: string
  readonly backends: readonly string[]
  /** An earlier deployment in it is replaced once the new one is complete; all else in it stays. */
  readonly folder: string
}

/**
 * Makes of a built app a folder with all that it needs to run, in the versions of the lockfile. An app has its backends as
 * optional peers, which `pnpm deploy` leaves out, so it is deployed from a copy of the workspace in which it depends on those
 * that were chosen.
 */
export function deployApp({ workspace, app, backends, folder }: DeployOptions): void {
  const copy = mkdtempSync(join(tmpdir(), 'ps-deploy-'))
  mkdirSync(folder, { recursive: true })
  // Within it, because what lies on another disk cannot be moved there.
  const made = mkdtempSync(join(folder, '.new-'))
  try {
    copyManifests(workspace, copy)
    chooseBackends(copy, `apps/${app}`, backends)
    execFileSync(
      'pnpm',
      ['--filter', `@ps/${app}`, 'deploy', '--prod', '--config.node-linker=hoisted', made],
      {
        cwd: copy,
        // What this command prints is one line; pnpm has more to say.
        stdio: ['ignore', 2, 2],
        // It is told by the lockfile what to install, whatever the surrounding command was.
        env: { ...process.env, npm_config_frozen_lockfile: 'true' },
      },
    )
    forgetMachine(made)
    replaceDeployment(folder, made)
  } finally {
    for (const temporary of [copy, made]) rmSync(temporary, { recursive: true, force: true })
  }
}
