import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readDocuments, root } from './documents.js'

const textOf = (path: string): string =>
  readDocuments().find((document) => document.path === path)?.text ?? ''
const foldersIn = (parent: string): string[] =>
  readdirSync(join(root, parent)).filter((name) => existsSync(join(root, parent, name, 'package.json')))

/** The code in the first column of the table of `ARCHITECTURE.md`. */
const parts = [...textOf('ARCHITECTURE.md').matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, part = '']) => part),
)

test('every package and every app has its line in ARCHITECTURE.md, and a link in the README', () => {
  const readme = textOf('README.md')
  for (const parent of ['packages', 'apps']) {
    for (const name of foldersIn(parent)) {
      // Core has a line for each of its parts.
      expect(name === 'core' || parts.includes(name), `${name} in ARCHITECTURE.md`).toBe(true)
      expect(readme.includes(`(${parent}/${name})`), `${parent}/${name} in README.md`).toBe(true)
    }
  }
})

test('every file and folder that ARCHITECTURE.md names as a part is there', () => {
  let folder = ''
  const missing = parts.filter((part) => {
    if (!part.endsWith('.ts'))
      return !existsSync(join(root, 'packages', part)) && !existsSync(join(root, 'apps', part))
    const path = part.startsWith('core/') ? part.slice('core/'.length) : join(folder, part)
    folder = part.startsWith('core/') ? join(path, '..') : folder
    return !existsSync(join(root, 'packages/core/src', path))
  })
  expect(missing).toEqual([])
  expect(parts.length).toBeGreaterThan(20)
})
