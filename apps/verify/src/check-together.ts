import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from './installers/npm.js'
import type { PublishedPackage } from './published-packages.js'
import type { Report } from './report.js'

export interface TogetherOptions {
  readonly packages: readonly PublishedPackage[]
  readonly registry: string
  readonly folder: string
  readonly report: Report
}

/** Installs every package in one project, as somebody does who writes a backend. */
export async function checkTogether({ packages, registry, folder, report }: TogetherOptions): Promise<void> {
  const versions = Object.fromEntries(packages.map(({ name, manifest }) => [name, `^${manifest.version}`]))
  const project = await report.check('npm: all packages are installed side by side', () =>
    npm.install({
      folder: join(folder, 'npm-all'),
      dependencies: { ...versions, vitest: '^4.0.0' },
      registry,
    }),
  )
  const write = (file: string, text: string): void => writeFileSync(join(project.folder, file), text)
  // What needs a test runner around it is imported below.
  const entries = packages
    .filter(({ manifest }) => manifest.peerDependencies?.vitest === undefined)
    .flatMap(({ name, manifest }) =>
      Object.keys(manifest.exports ?? {}).map((subpath) => join(name, subpath)),
    )
  await report.check(`npm: ${entries.join(', ')} can be imported`, async () => {
    write('entries.json', JSON.stringify(entries))
    await project.run('import-all.mjs')
  })
  await report.check('npm: the example of @ps/conformance passes its suite under vitest', async () => {
    const readme = readFileSync(join(project.folder, 'node_modules/@ps/conformance/README.md'), 'utf8')
    const [, example] = readme.match(/^```js\n(.*?)^```$/ms) ?? []
    if (example === undefined) throw new Error('its README has no example')
    write('example.test.js', example)
    const { stdout } = await project.runProgram('vitest', ['run', '--reporter', 'default'], {
      environment: { CI: 'true', NO_COLOR: '1' },
    })
    if (!/Tests\s+\d+ passed/.test(stdout)) throw new Error(stdout)
  })
}
