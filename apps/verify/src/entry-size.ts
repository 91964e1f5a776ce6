import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'esbuild'
import type { PackedPackage } from './packed-package.js'

export interface EntrySize {
  readonly entry: string
  /** What is loaded at once, in bytes. */
  readonly minified: number
  /** The same at the highest level of gzip. */
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
      plugins: [onlyWhatIsLoadedAtOnce],
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

/** What a package imports only where it is wanted is not loaded by a program that does not want it. */
const onlyWhatIsLoadedAtOnce: Plugin = {
  name: 'only what is loaded at once',
  setup(bundle) {
    bundle.onResolve({ filter: /^\./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    )
  },
}
