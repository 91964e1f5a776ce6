import { mkdirSync } from 'node:fs'
import { findManifestFaults } from './check-manifest.js'
import { measureEntries } from './entry-size.js'
import { runAttw, runPublint } from './lint-tarball.js'
import { type PackedPackage, packPackage } from './packed-package.js'
import type { PublishedPackage } from './published-packages.js'
import type { Report } from './report.js'

/** What the entries may have, gzipped, that programs and pages load at once. */
const limits: Readonly<Record<string, number>> = { '@ps/core': 12_000, '@ps/browser': 3_000 }

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(2)} kB`

/** Packs every package and checks the tarballs. */
export async function checkPackages(
  packages: readonly PublishedPackage[],
  folder: string,
  report: Report,
): Promise<PackedPackage[]> {
  mkdirSync(folder, { recursive: true })
  const packed: PackedPackage[] = []
  for (const source of packages) {
    await report.check(
      `${source.name}: the tarball is complete; publint and attw have nothing to say`,
      async () => {
        const tarball = await packPackage(source, folder)
        const faults = [...findManifestFaults(tarball), ...(await runPublint(tarball))]
        if (faults.length > 0) throw new Error(faults.join('\n'))
        await runAttw(tarball)
        packed.push(tarball)
      },
    )
  }
  for (const { entry, minified, gzipped } of (await Promise.all(packed.map(measureEntries))).flat()) {
    const limit = limits[entry]
    const size = `${kilobytes(gzipped)} gzipped`
    if (limit !== undefined && gzipped >= limit)
      throw new Error(`${entry} is ${size}, and should be under ${kilobytes(limit)}`)
    const bound = limit === undefined ? '' : `, under ${kilobytes(limit)}`
    report.holds(`${entry} loads ${kilobytes(minified)} minified, ${size}${bound}`)
  }
  const core = packed.find(({ name }) => name === '@ps/core')
  if (Object.keys({ ...core?.manifest.dependencies, ...core?.manifest.peerDependencies }).length > 0)
    throw new Error('@ps/core depends on something')
  report.holds('@ps/core depends on nothing')
  return packed
}
