import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalRegistry } from './local-registry.js'
import { runPnpm } from './pnpm.js'
import { type PublishedPackage, readPublishedPackages } from './published-packages.js'
import type { Report } from './report.js'
import { runCommand } from './run-command.js'

/** Gives the packages of a copy of the repository their next versions, as the release does. Returns them with these. */
export async function checkVersions(copy: string, report: Report): Promise<PublishedPackage[]> {
  const before = new Map(readPublishedPackages(copy).map(({ name, manifest }) => [name, manifest.version]))
  await report.check('pnpm run version:packages: the changesets become versions and changelogs', async () => {
    await runPnpm(['run', 'version:packages'], { folder: copy })
    for (const { name, folder, manifest } of readPublishedPackages(copy)) {
      const isFirst = before.get(name) === '0.0.0'
      if (isFirst && manifest.version !== '0.1.0')
        throw new Error(`the first version of ${name} would be ${manifest.version}, not 0.1.0`)
      if (!existsSync(join(folder, 'CHANGELOG.md'))) throw new Error(`${name} has no changelog`)
    }
    await runPnpm(['install', '--frozen-lockfile'], { folder: copy })
  })
  const packages = readPublishedPackages(copy)
  report.holds(packages.map(({ name, manifest }) => `${name} ${manifest.version}`).join(', '))
  return packages
}

/** Publishes on the local registry by the command that publishes for everyone. */
export async function checkPublishing(
  copy: string,
  packages: readonly PublishedPackage[],
  registry: LocalRegistry,
  report: Report,
): Promise<void> {
  const publish = (): Promise<unknown> =>
    runPnpm(['run', 'release'], { folder: copy, environment: registry.environment })
  await report.check('pnpm run release: every package is published, built anew', async () => {
    await publish()
    for (const { name, manifest } of packages) {
      const { stdout } = await runCommand(
        'npm',
        ['view', `${name}@${manifest.version}`, 'version', 'dist.shasum', '--json'],
        {
          folder: copy,
          environment: registry.environment,
        },
      )
      if (!stdout.includes(manifest.version)) throw new Error(`${name} ${manifest.version} was not published`)
    }
    const { stdout } = await runCommand('git', ['tag'], { folder: copy })
    for (const { name, manifest } of packages)
      if (!stdout.split('\n').includes(`${name}@${manifest.version}`)) throw new Error(`${name} has no tag`)
  })
  await report.check('pnpm run release a second time publishes nothing and is no error', publish)
}
