import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { readmeExamples, spawnProgram } from '@ps/services/vitest'
import { expect, inject, test } from 'vitest'
import { root } from './documents.js'

test('of the two programs of the README one hears what the other publishes', async ({ onTestFinished }) => {
  const folder = mkdtempSync(fileURLToPath(new URL('../.readme-', import.meta.url)))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [listening = '', publishing = ''] = readmeExamples(pathToFileURL(root))
  writeFileSync(join(folder, 'listen.mjs'), listening)
  writeFileSync(join(folder, 'publish.mjs'), publishing)
  const environment = { DATABASE_URL: inject('postgresUrl') }

  const listener = spawnProgram(join(folder, 'listen.mjs'), [], { environment })
  onTestFinished(async () => void (await listener.stop()))
  await listener.waitForOutput(/^listening$/m)
  const publisher = spawnProgram(join(folder, 'publish.mjs'), [], { environment })
  expect(await publisher.exited).toMatchObject({ code: 0 })
  expect(publisher.stdout()).toBe('accepted true\n')
  await listener.waitForOutput(/^heard \{ id: 7, state: 'done' \}$/m)
})
