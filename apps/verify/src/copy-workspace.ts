import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readDockerfile } from './dockerfile.js'
import { runCommand } from './run-command.js'
import { workspace } from './workspace.js'

/**
 * Makes a repository with one commit on `main` of all files that git knows or would add, and installs its
 * dependencies as the Dockerfile does. Not a
 * clone: what is not yet committed is checked, too, and a shallow clone has no history that changesets could read.
 */
export async function copyWorkspace(to: string): Promise<void> {
  const listed = await runCommand('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    folder: workspace,
  })
  for (const file of listed.stdout.split('\0').filter((name) => name !== '')) {
    // One that was removed and is still in the index.
    if (!existsSync(join(workspace, file))) continue
    mkdirSync(join(to, dirname(file)), { recursive: true })
    cpSync(join(workspace, file), join(to, file))
  }
  const git = (...given: string[]): Promise<unknown> => runCommand('git', given, { folder: to })
  await git('init', '--quiet', '--initial-branch=main')
  // Changesets tags what it publishes.
  await git('config', 'user.name', 'verify')
  await git('config', 'user.email', 'verify@localhost')
  // Nobody is there to be asked for a passphrase.
  for (const what of ['commit', 'tag']) await git('config', `${what}.gpgSign`, 'false')
  await git('add', '--all')
  await git('commit', '--quiet', '--no-verify', '--message', 'All files')
  for (const command of readDockerfile(to).commonCommands)
    await runCommand('sh', ['-c', command], { folder: to })
}
