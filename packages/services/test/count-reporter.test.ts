import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { spawnProgram } from '../src/vitest.js'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const vitest = join(packageFolder, 'node_modules/vitest/vitest.mjs')
const imports = `import { afterAll, beforeAll, describe, it } from 'vitest'`

async function runTests(code: string, globalSetup = '') {
  const folder = mkdtempSync(join(packageFolder, '.example-'))
  try {
    writeFileSync(join(folder, 'a.test.js'), `${imports}\n${code}`)
    writeFileSync(join(folder, 'setup.js'), `export default () => { ${globalSetup} }`)
    const settings = {
      include: ['*.test.js'],
      globalSetup: ['./setup.js'],
      reporters: ['default', join(packageFolder, 'dist/count-reporter.js')],
    }
    writeFileSync(join(folder, 'vitest.config.js'), `export default ${JSON.stringify({ test: settings })}`)
    const program = spawnProgram(vitest, ['run', '--root', folder])
    const { code: exitCode } = await program.exited
    return { exitCode, lines: program.stdout().trimEnd().split('\n') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

it('names each skipped test with its reason, and ends with the counts', async () => {
  const { exitCode, lines } = await runTests(
    `it('a', () => {}); it('b', ({ skip }) => skip('no Redis here')); it.skip('c', () => {})`,
  )
  expect(exitCode).toBe(0)
  expect(lines.slice(-3)).toEqual([
    'skipped: a.test.js > b: no Redis here',
    'skipped: a.test.js > c: no reason given',
    '1 passed, 0 failed, 2 skipped',
  ])
})

it.each([
  ['a test', `it('a', () => { throw new Error('no') })`, '0 passed, 1 failed, 0 skipped'],
  ['a file that cannot be loaded', `await import('./nothing.js')`, '0 passed, 1 failed, 0 skipped'],
  [
    'a hook before its tests',
    `describe('s', () => { beforeAll(() => { throw new Error('no') }); it('a', () => {}) })`,
    '0 passed, 1 failed, 1 skipped',
  ],
  [
    'a hook after its tests',
    `describe('s', () => { afterAll(() => { throw new Error('no') }); it('a', () => {}) })`,
    '1 passed, 1 failed, 0 skipped',
  ],
  [
    'an unhandled error',
    `it('a', () => { setTimeout(() => { throw new Error('no') }); return new Promise((r) => setTimeout(r, 50)) })`,
    '1 passed, 1 failed, 0 skipped',
  ],
])('counts %s as failed', async (_, code, expected) => {
  const { exitCode, lines } = await runTests(code)
  expect(lines.at(-1)).toBe(expected)
  expect(exitCode).toBe(1)
})

it('counts a global setup that fails as failed', async () => {
  const { exitCode, lines } = await runTests(`it('a', () => {})`, `throw new Error('no')`)
  expect(lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped')
  expect(exitCode).toBe(1)
})

it('fails a run that executed no test', async () => {
  const { exitCode, lines } = await runTests(`it.skip('a', () => {})`)
  expect(lines.at(-1)).toBe('0 passed, 0 failed, 1 skipped')
  expect(exitCode).toBe(1)
})
