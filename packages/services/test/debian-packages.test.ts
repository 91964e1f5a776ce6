import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { hasDebianPackages, unpackDebianPackages } from '../src/debian-packages.js'
import { onPath } from '../src/on-path.js'

// What is unpacked is kept: what was missing for a moment would be missing ever after.
it('a library that cannot be fetched for a while is not left out, and is there the next time', {
  timeout: 120_000,
}, async ({ skip, onTestFinished }) => {
  if (!hasDebianPackages()) skip('this is not Debian or Ubuntu')
  const folder = mkdtempSync(join(tmpdir(), 'ps-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  onTestFinished(() => void vi.unstubAllEnvs())
  const broken = join(folder, 'broken')
  writeFileSync(broken, '')
  // The network goes away for one package.
  writeFileSync(
    join(folder, 'apt-get'),
    `#!/bin/sh
case "$*" in *libatomic1*)
  if [ -e ${broken} ]; then echo 'E: Failed to fetch libatomic1  Could not connect' >&2; exit 100; fi
esac
exec ${onPath('apt-get')} "$@"
`,
    { mode: 0o755 },
  )
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`)
  vi.stubEnv('XDG_CACHE_HOME', folder)
  const unpack = () => unpackDebianPackages({ name: 'own', required: [], optional: ['libatomic1'] })
  await expect(unpack()).rejects.toThrow(/^E: Failed to fetch libatomic1/)
  expect(readdirSync(join(folder, 'ps-services'))).toEqual([])
  rmSync(broken)
  const { environment } = await unpack()
  const libraries = (environment.LD_LIBRARY_PATH ?? '').split(delimiter)
  expect(libraries.some((path) => existsSync(join(path, 'libatomic.so.1')))).toBe(true)
})
