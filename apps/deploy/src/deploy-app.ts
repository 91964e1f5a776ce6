import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { chooseBackends } from './choose-backends.js'
import { copyManifests } from './copy-manifests.js'
import { forgetMachine } from './forget-machine.js'

export interface DeployOptions {
  readonly workspace: string
  readonly app: string
  readonly backends: readonly string[]
  /** What it holds is replaced. */
  readonly folder: string
}

/**
 * Makes of a built app a folder with all that it needs to run, in the versions of the lockfile. An app has its backends as
 * optional peers, which `pnpm deploy` leaves out, so it is deployed from a copy of the workspace in which it depends on those
 * that were chosen.
 */
export function deployApp({ workspace, app, backends, folder }: DeployOptions): void {
  const copy = mkdtempSync(join(tmpdir(), 'ps-deploy-'))
  try {
    copyManifests(workspace, copy)
    chooseBackends(copy, `apps/${app}`, backends)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(dirname(folder), { recursive: true })
    execFileSync(
      'pnpm',
      ['--filter', `@ps/${app}`, 'deploy', '--prod', '--config.node-linker=hoisted', folder],
      {
        cwd: copy,
        // What this command prints is one line; pnpm has more to say.
        stdio: ['ignore', 2, 2],
        // It is told by the lockfile what to install, whatever the surrounding command was.
        env: { ...process.env, npm_config_frozen_lockfile: 'true' },
      },
    )
    forgetMachine(folder)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
