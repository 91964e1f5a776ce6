import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
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
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  })
  return files
    .split('\n')
    .filter((path) => path !== '' && !path.startsWith('.changeset/') && !path.endsWith('CHANGELOG.md'))
    .filter((path) => existsSync(join(root, path)))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, blocks: codeBlocks(path, text) }
    })
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
