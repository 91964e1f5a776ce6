import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './documents.js'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const sources = (...folders: readonly string[]): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => read(join(folder, name))),
  )

const sorted = (words: Iterable<string | undefined>): string[] =>
  [...new Set(words)].filter((word) => word !== undefined).toSorted()

const configuration = read('docs/configuration.md')

/** The code in the first column of the tables of a text. */
const firstColumn = (text: string): string[] =>
  [...text.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
  )

test('every variable of the client and the apps is in configuration.md, and every one there is read', () => {
  const [forPrograms = ''] = configuration.split(/^## `pnpm start`$/m)
  const told = firstColumn(forPrograms).filter((word) => /^[A-Z_]+$/.test(word))
  const source = sources(
    ...['core', 'redis', 'postgres', 'cli'].map((name) => `packages/${name}/src`),
    ...['api', 'engine'].map((name) => `apps/${name}/src`),
  ).join('\n')
  const named = source.match(
    /\b(?:(?:PUBSUB|API|ENGINE|JOB)_[A-Z_]+|DATABASE_URL|REDIS_URL|LOG_LEVEL|HOST|PORT)\b/g,
  )
  expect(sorted(named ?? [])).toEqual(sorted(told))
  expect(told.length).toBeGreaterThan(30)
})

test('every variable of libpq that @ps/postgres reads is in its README', () => {
  // `.s.PGSQL.5432` is the name of a socket.
  const named = (text: string): string[] => sorted(text.match(/\bPG[A-Z]{3,}\b(?!\.)/g) ?? [])
  expect(named(sources('packages/postgres/src').join('\n'))).toEqual(
    named(read('packages/postgres/README.md')),
  )
})

test('every code of pubsub doctor is in configuration.md, and every one there is said', () => {
  const [, section = ''] = /^## When it does not work$(.*?)^## /ms.exec(configuration) ?? []
  const source = sources(...['core', 'redis', 'postgres', 'cli'].map((name) => `packages/${name}/src`))
    .filter((text) => /\bFinding\b|\bfindings\b/.test(text))
    .join('\n')
  // Not the words in a call, such as `text.includes('channel')`, nor how severe it is.
  const assigned = [...source.matchAll(/\bcode(?::| =) .*$/gm)].flatMap(([line]) =>
    [...line.replace(/\bseverity:.*/, '').matchAll(/'([a-z_]+)'(?!\))/g)].map(([, code]) => code),
  )
  const called = [...source.matchAll(/\bproblem\(\s*'([a-z_]+)'/g)].map(([, code]) => code)
  // These are of a client that cannot even be planned; `PubSubErrorCode` has their names.
  const ofErrors = ['configuration', 'backend_missing']
  expect(sorted([...assigned, ...called, ...ofErrors])).toEqual(sorted(firstColumn(section)))
})
