import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** One page that people read. */
export interface Document {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly CodeBlock[]
}

export interface CodeBlock {
  readonly path: string
  /** Of its first line of code, from 1. */
  readonly line: number
  readonly language: string
  readonly code: string
  /** What the code takes for granted: stands in a comment `<!-- given: … -->` before it, which is not shown. */
  readonly given: string
}

/** Every Markdown file of the repository but what is made: lists of changes. */
export function readDocuments(): readonly Document[] {
  return Array.from(markdownFiles(''), (path) => {
    const text = readFileSync(join(root, path), 'utf8')
    return { path, text, blocks: codeBlocks(path, text) }
  })
}

const made = new Set(['node_modules', 'dist', 'coverage', 'CHANGELOG.md'])

/** Not asked of git: whoever has downloaded the sources without it runs the tests, too. */
function* markdownFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (entry.name.startsWith('.') || made.has(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* markdownFiles(path)
    else if (entry.name.endsWith('.md')) yield path
  }
}

function codeBlocks(path: string, text: string): CodeBlock[] {
  const pattern = /(?:^[ \t]*<!-- given: (.*?) -->\n)?^([ \t]*)```([^\n]*)\n(.*?)^\2```[ \t]*$/gms
  return [...text.matchAll(pattern)].map((match) => {
    const [whole, given = '', indent = '', language = '', code = ''] = match
    const before = text.slice(0, match.index + whole.indexOf('```'))
    return {
      path,
      line: before.split('\n').length + 1,
      language: language.trim(),
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      given,
    }
  })
}
