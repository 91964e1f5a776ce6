import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findUntold } from '../src/untold-changes.js'

let folder: string

const git = (...given: string[]): void => {
  const person = [
    '-c',
    'user.name=somebody',
    '-c',
    'user.email=somebody@localhost',
    '-c',
    'commit.gpgSign=false',
  ]
  execFileSync('git', [...person, ...given], { cwd: folder, stdio: 'pipe' })
}

const write = (file: string, text: string): void => {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}

const commit = (): void => {
  git('add', '--all')
  git('commit', '--quiet', '--message', 'A change')
}

const manifest = (name: string, version: string): string => JSON.stringify({ name, version })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ps-changesets-'))
  git('init', '--quiet', '--initial-branch=main')
  for (const name of ['one', 'two']) {
    write(`packages/${name}/package.json`, manifest(`@ps/${name}`, '0.1.0'))
    write(`packages/${name}/src/index.ts`, '')
  }
  write('packages/hidden/package.json', JSON.stringify({ name: '@ps/hidden', private: true }))
  write('.changeset/one.md', '---\n"@ps/one": minor\n---\n\nThe first.\n')
  commit()
  git('switch', '--quiet', '--create', 'work')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a change to the source of a package needs a changeset', () => {
  write('packages/two/src/index.ts', 'export {}')
  commit()
  expect(findUntold(folder, 'main')).toEqual(['@ps/two'])
})

test('a changeset of another package, or an old one, does not tell it', () => {
  write('packages/one/src/index.ts', 'export {}')
  write('packages/two/src/index.ts', 'export {}')
  write('.changeset/two.md', "---\n'@ps/two': patch\n---\n\nWhat is new.\n")
  commit()
  expect(findUntold(folder, 'main')).toEqual(['@ps/one'])
})

test('a changeset that has become longer tells it', () => {
  write('packages/one/src/index.ts', 'export {}')
  appendFileSync(join(folder, '.changeset/one.md'), 'More of it.\n')
  commit()
  expect(findUntold(folder, 'main')).toEqual([])
})

test('what is not shipped needs none: tests, private packages, files elsewhere', () => {
  for (const file of ['packages/one/test/one.test.ts', 'packages/hidden/src/index.ts', 'docs/guide.md'])
    write(file, 'export {}')
  commit()
  expect(findUntold(folder, 'main')).toEqual([])
})

test('a release needs none, because it has turned them into a changelog', () => {
  write('packages/one/package.json', manifest('@ps/one', '0.2.0'))
  write('packages/one/CHANGELOG.md', '# 0.2.0')
  rmSync(join(folder, '.changeset/one.md'))
  commit()
  expect(findUntold(folder, 'main')).toEqual([])
})

test('a new package needs one', () => {
  write('packages/three/package.json', manifest('@ps/three', '0.0.0'))
  commit()
  expect(findUntold(folder, 'main')).toEqual(['@ps/three'])
})

test('what has come to main meanwhile is not ours to tell', () => {
  git('switch', '--quiet', 'main')
  write('packages/two/src/index.ts', 'export {}')
  commit()
  git('switch', '--quiet', 'work')
  expect(findUntold(folder, 'main')).toEqual([])
})

test('a base that is not there is named', () => {
  expect(() => findUntold(folder, 'origin/elsewhere')).toThrow('there is no origin/elsewhere here')
})
