import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Manifest } from './manifest.js'
import { runPnpm } from './pnpm.js'
import type { PublishedPackage } from './published-packages.js'
import { runCommand } from './run-command.js'

/** A package as a registry gets it. */
export interface PackedPackage {
  readonly name: string
  readonly tarball: string
  /** Where the tarball is unpacked. */
  readonly folder: string
  readonly files: readonly string[]
  readonly manifest: Manifest
}

/** Packs it into `folder`, and unpacks it beside that. */
export async function packPackage(source: PublishedPackage, folder: string): Promise<PackedPackage> {
  const tarball = join(folder, `${basename(source.folder)}.tgz`)
  await runPnpm(['pack', '--out', tarball], { folder: source.folder })
  const unpacked = join(folder, basename(source.folder))
  await runCommand('mkdir', ['-p', unpacked], { folder })
  await runCommand('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1'], { folder })
  const { stdout } = await runCommand('tar', ['-tzf', tarball], { folder })
  return {
    name: source.name,
    tarball,
    folder: unpacked,
    files: stdout
      .trim()
      .split('\n')
      .map((file) => file.replace(/^package\//, '')),
    manifest: JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as Manifest,
  }
}
