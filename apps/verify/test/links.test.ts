import { existsSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import GithubSlugger from 'github-slugger'
import { expect, test } from 'vitest'
import { readDocuments, root } from './documents.js'

const documents = readDocuments()

/** Without code, where brackets mean something else. */
const prose = (text: string): string =>
  text
    .replaceAll(/^[ \t]*```.*?^[ \t]*```/gms, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll('](', '] ('))

interface Link {
  readonly from: string
  readonly target: string
}

const links: readonly Link[] = documents.flatMap(({ path, text }) =>
  [...prose(text).matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)].map(([, target = '']) => ({
    from: path,
    target,
  })),
)

/** The anchors that a page has, as they are made of its headings. */
function anchorsOf(path: string): Set<string> {
  const text = documents.find((document) => document.path === path)?.text ?? ''
  const slugger = new GithubSlugger()
  const headings = text.replaceAll(/^[ \t]*```.*?^[ \t]*```/gms, '').matchAll(/^#{1,6} (.+)$/gm)
  return new Set([...headings].map(([, heading = '']) => slugger.slug(heading.replaceAll(/[`*_]/g, ''))))
}

test('every link within the repository leads to a file, and to a heading of it', () => {
  const broken: string[] = []
  for (const { from, target } of links) {
    if (/^[a-z]+:/.test(target)) continue
    const [file = '', anchor] = target.split('#')
    const path = file === '' ? from : relative(root, join(root, dirname(from), decodeURIComponent(file)))
    const isThere = !path.startsWith('..') && existsSync(join(root, path))
    const page = isThere && statSync(join(root, path)).isDirectory() ? join(path, 'README.md') : path
    if (!isThere || (anchor !== undefined && !anchorsOf(page).has(anchor))) broken.push(`${from}: ${target}`)
  }
  expect(broken).toEqual([])
  expect(links.length).toBeGreaterThan(50)
})

test('links to other sites are over TLS', () => {
  const others = links.filter(({ target }) => /^[a-z]+:/.test(target))
  expect(others.filter(({ target }) => !target.startsWith('https://') || !URL.canParse(target))).toEqual([])
})

test('every page in docs is named in the README', () => {
  const named = new Set(
    links.filter(({ from }) => from === 'README.md').map(({ target }) => target.split('#')[0]),
  )
  const pages = documents.map(({ path }) => path).filter((path) => path.startsWith('docs/'))
  expect(pages.filter((path) => !named.has(path))).toEqual([])
})
