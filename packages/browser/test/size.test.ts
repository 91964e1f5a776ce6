import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'

test('the package is under 3 kB gzipped, and imports nothing', async () => {
  const built = await readFile(new URL('../dist/index.js', import.meta.url))
  expect(gzipSync(built, { level: 9 }).length).toBeLessThan(3_000)
  expect(built.toString()).not.toMatch(/\bimport\b|\brequire\(/)
})
