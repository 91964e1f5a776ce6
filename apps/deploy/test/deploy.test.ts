import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { replaceDeployment } from '../src/replace-deployment.js'

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url))
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ps-deploy-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

/** The command, where there is no pnpm. */
const deploy = (...given: string[]) =>
  spawnSync(process.execPath, [program, ...given], {
    encoding: 'utf8',
    env: { ...process.env, PATH: join(folder, 'nothing') },
  })

describe('a folder that was deployed before', () => {
  beforeEach(() => {
    write('app/package.json', '{"name":"@ps/engine"}')
    write('app/dist/old.js', 'old')
    write('app/node_modules/ioredis/package.json', '{}')
    write('app/.data/api/secret', 'kept')
  })

  test('is replaced, but for what the app has stored there', () => {
    write('new/package.json', '{"name":"@ps/engine","version":"1.0.0"}')
    write('new/dist/main.js', 'new')
    write('new/node_modules/postgres/package.json', '{}')
    replaceDeployment(join(folder, 'app'), join(folder, 'new'))
    expect(read('app/.data/api/secret')).toBe('kept')
    expect(read('app/package.json')).toContain('1.0.0')
    expect(readdirSync(join(folder, 'app/dist'))).toEqual(['main.js'])
    expect(readdirSync(join(folder, 'app/node_modules'))).toEqual(['postgres'])
  })

  test('stays as it was where the new deployment fails', { timeout: 120_000 }, () => {
    const { status, stderr } = deploy('engine', 'postgres', '--to', join(folder, 'app'))
    expect(status).toBe(1)
    expect(stderr).toMatch(/^error: .*pnpm/)
    expect(readdirSync(join(folder, 'app')).toSorted()).toEqual([
      '.data',
      'dist',
      'node_modules',
      'package.json',
    ])
    expect(read('app/dist/old.js')).toBe('old')
    expect(read('app/.data/api/secret')).toBe('kept')
  })
})

test.each([
  ['of somebody else', 'notes.txt', 'mine'],
  ['of another app', 'package.json', '{"name":"@ps/api"}'],
])('a folder %s is refused, and left alone', (_, file, text) => {
  write(join('app', file), text)
  const { status, stderr } = deploy('engine', 'postgres', '--to', join(folder, 'app'))
  expect(status).toBe(1)
  expect(stderr).toContain('is not empty: name another folder with --to, or remove it')
  expect(read(join('app', file))).toBe(text)
})

test.each([
  ['no app', []],
  ['an app that there is not', ['bench', 'postgres']],
  ['no backend', ['engine']],
  ['a backend that there is not', ['engine', 'kafka']],
])('%s is told with what can be deployed, and makes nothing', (_, given) => {
  const { status, stderr } = deploy(...given, '--to', join(folder, 'app'))
  expect(status).toBe(1)
  expect(stderr).toMatch(/^error: use: pnpm deploy:app api\|engine postgres\|redis \[--to folder\]/)
  expect(existsSync(join(folder, 'app'))).toBe(false)
})
