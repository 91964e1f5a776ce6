import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { PackedPackage } from './packed-package.js'

export interface EntrySize {
  readonly entry: string
  readonly minified: number
  /** In bytes, at the highest level. */
  readonly gzipped: number
}

/** Bundles each entry of a package by itself, without its dependencies, and minifies it. */
export async function measureEntries({ folder, manifest, name }: PackedPackage): Promise<EntrySize[]> {
  const entries = Object.entries(manifest.exports ?? manifest.bin ?? {})
  const sizes: EntrySize[] = []
  for (const [subpath, target] of entries) {
    const file = typeof target === 'string' ? target : target.default
    if (file === undefined || !file.endsWith('.js')) continue
    const { outputFiles } = await build({
      entryPoints: [join(folder, file)],
      bundle: true,
      packages: 'external',
      minify: true,
      format: 'esm',
      platform: 'node',
      write: false,
      logLevel: 'silent',
    })
    const [output] = outputFiles
    if (output === undefined) throw new Error(`esbuild made nothing of ${file}`)
    sizes.push({
      entry: manifest.exports === undefined ? `${name} (${subpath})` : join(name, subpath),
      minified: output.contents.length,
      gzipped: gzipSync(output.contents, { level: 9 }).length,
    })
  }
  return sizes
}
