import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'

// Both examples of docs/write-a-backend.md: the backend, and the test file that runs the suite on it, as they stand there.
const packageFolder = fileURLToPath(new URL('../..', import.meta.url))
const repository = join(packageFolder, '..', '..')
const page = readFileSync(join(repository, 'docs', 'write-a-backend.md'), 'utf8')
const [backend = '', testFile = ''] = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code)

it('the example backend has under 80 lines', () => {
  expect(backend).toContain('export const createBackend')
  expect(backend.trimEnd().split('\n').length).toBeLessThan(80)
})

it('the example backend is formatted as all code here is', () => {
  const biome = join(repository, 'node_modules', '.bin', 'biome')
  const options = ['format', '--stdin-file-path=tcp-backend.js']
  const { stdout, status } = spawnSync(biome, options, {
    cwd: repository,
    input: backend,
    encoding: 'utf8',
  })
  expect(status).toBe(0)
  expect(stdout).toBe(backend)
})

const folder = mkdtempSync(join(packageFolder, '.example-'))
const place = (name: string, code: string): string => {
  const file = join(folder, name)
  writeFileSync(file, code)
  return pathToFileURL(file).href
}
try {
  place('tcp-backend.js', backend)
  place('tcp-broker.js', `export * from '${join(packageFolder, 'test', 'tcp-broker.ts')}'\n`)
  place('fault-proxy.js', "export { startFaultProxy } from '@ps/services'\n")
  await import(place('example.js', testFile))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
