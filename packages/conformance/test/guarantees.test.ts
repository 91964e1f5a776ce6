import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const document = new URL('../../../docs/guarantees.md', import.meta.url)

/** Every link of the document, as the title of a test and the file that it is said to stand in. */
const proofs = Array.from(
  readFileSync(document, 'utf8').matchAll(/\[([^\]]+)\]\(([^)]+\.ts)\)/g),
  ([, title = '', file = '']) => ({ title, file }),
)

it.each(proofs)('the test that proves it exists: $title', ({ title, file }) => {
  const source = readFileSync(new URL(file, document), 'utf8')
  expect(source.replaceAll("\\'", "'")).toContain(title)
})

it('every line of its tables names a proof', () => {
  const rows = readFileSync(document, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (promise|when) \|/.test(line))
  expect(rows.length).toBeGreaterThan(20)
  expect(rows.filter((row) => !/\]\([^)]+\.ts\)/.test(row))).toEqual([])
})
