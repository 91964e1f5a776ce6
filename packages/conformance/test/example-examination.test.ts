import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { BackendModule, Finding } from '@ps/core'
import { expect, it } from 'vitest'
import { startTcpBroker } from './tcp-broker.js'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(packageFolder, '..', '..', 'docs', 'write-a-backend.md'), 'utf8')

it('the example of docs/write-a-backend.md that examines its broker finds it well, and away', async (test) => {
  const examples = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code)
  const parts = ['export const createBackend', 'export async function* examine'].map((beginning) =>
    examples.find((code) => code.includes(beginning)),
  )
  const folder = mkdtempSync(join(packageFolder, '.example-'))
  test.onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'tcp-backend.js')
  writeFileSync(file, parts.join('\n'))
  const { examine } = (await import(pathToFileURL(file).href)) as BackendModule

  const broker = await startTcpBroker()
  const findings = async (): Promise<Finding[]> => {
    const found: Finding[] = []
    const options = { url: `tcp://127.0.0.1:${broker.port}`, prefix: '', channels: [] }
    for await (const finding of examine?.(options) ?? []) found.push(finding)
    return found
  }
  expect(await findings()).toEqual([{ code: 'reached', severity: 'ok', message: 'the broker answers' }])
  await broker.stop()
  expect(await findings()).toMatchObject([
    { code: 'refused', severity: 'problem', message: expect.stringContaining('ECONNREFUSED') },
  ])
})
