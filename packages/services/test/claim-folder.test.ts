import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { claimFolder } from '../src/claim-folder.js'

const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ps-test-'))
  folders.push(folder)
  return folder
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

it('gives a folder to one at a time', () => {
  const folder = newFolder()
  const release = claimFolder(folder)
  expect(() => claimFolder(folder)).toThrow(`it runs already (process ${process.pid}): stop that first`)
  release()
  expect(readdirSync(folder)).toEqual([])
  claimFolder(folder)()
})

// After a crash, or in a container that was started anew, where process ids begin at 1 again.
it.each([
  ['is empty', ''],
  ['names a process that is gone', '999999999 1'],
  ['names a process whose id another one has now', `${process.pid} 1`],
])('takes over a claim that %s', (_, text) => {
  const folder = newFolder()
  writeFileSync(join(folder, 'running.pid'), text)
  claimFolder(folder)()
  expect(readdirSync(folder)).toEqual([])
})
