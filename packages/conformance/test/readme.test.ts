import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

// The example of the README is itself a test file, and must pass.
const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const [, example = ''] =
  /^```js\n(.*?)^```$/ms.exec(readFileSync(join(packageFolder, 'README.md'), 'utf8')) ?? []
const folder = mkdtempSync(join(packageFolder, '.example-'))
try {
  const file = join(folder, 'example.mjs')
  writeFileSync(file, example)
  await import(pathToFileURL(file).href)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
