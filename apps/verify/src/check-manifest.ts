import { basename } from 'node:path'
import type { PackedPackage } from './packed-package.js'

/** What a packed package lacks, one line each. */
export function findManifestFaults({ files, folder, manifest }: PackedPackage): string[] {
  const faults: string[] = []
  const expect = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault)
  }
  const { bin, engines, repository } = manifest
  const entries = Object.entries(manifest.exports ?? {})
  expect(manifest.type === 'module', '"type" is not "module"')
  expect(manifest.license === 'MIT', '"license" is not "MIT"')
  expect(Boolean(manifest.description), '"description" is missing')
  expect(manifest.sideEffects === false, '"sideEffects" is not false')
  expect(engines?.node === '>=20.19', '"engines" does not ask for Node >=20.19')
  expect(
    repository?.directory === `packages/${basename(folder)}` && Boolean(repository.url),
    '"repository" does not name its folder',
  )
  expect(entries.length > 0 || bin !== undefined, 'neither "exports" nor "bin"')
  for (const [subpath, target] of entries) {
    if (subpath === './package.json') continue
    const isTyped = typeof target === 'object' && target.types !== undefined
    expect(isTyped, `"exports" has no types for ${subpath}`)
    const [first] = Object.keys(target)
    expect(!isTyped || first === 'types', `"exports" does not begin with the types for ${subpath}`)
  }
  expect(
    (manifest.files ?? []).length > 0 && !(manifest.files ?? []).includes('src'),
    '"files" is missing or has the source',
  )
  for (const file of ['LICENSE', 'README.md', 'package.json'])
    expect(files.includes(file), `${file} is missing`)
  const strays = files.filter(
    (file) => !file.startsWith('dist/') && !/^(LICENSE|README\.md|CHANGELOG\.md|package\.json)$/.test(file),
  )
  expect(strays.length === 0, `it holds more than it should: ${strays.join(', ')}`)
  const ranges = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })
  for (const [name, range] of ranges)
    expect(!/^(workspace|catalog|file|link):/.test(range), `${name} is asked for as ${range}`)
  return faults
}
