import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import postgres from 'postgres'
import { describe, expect, inject, test } from 'vitest'
import { compileBlocks } from './compile-blocks.js'
import { type CodeBlock, readDocuments, root } from './documents.js'

const blocks = readDocuments().flatMap((document) => document.blocks)
const blocksIn = (language: string): CodeBlock[] => blocks.filter((block) => block.language === language)
const place = ({ path, line }: CodeBlock): string => `${path}:${line}`

/** What nothing here can check: a picture, and text between programs. */
const plain = new Set(['mermaid', 'text'])
/** Run by tests of their own. */
const elsewhere: Readonly<Record<string, string>> = {
  nginx: 'apps/api/test',
  caddyfile: 'apps/api/test',
  dockerfile: 'apps/verify',
}
const checked = new Set(['js', 'ts', 'json', 'sh', 'sql', 'python'])

test('every block of code says in which language it is, and there is a check for it', () => {
  const unknown = blocks.filter(
    ({ language }) => !checked.has(language) && !plain.has(language) && !(language in elsewhere),
  )
  expect(unknown.map(place)).toEqual([])
  expect(blocks.length).toBeGreaterThan(30)
})

describe('the examples compile', () => {
  test('in TypeScript, as strictly as our own code', { timeout: 120_000 }, () => {
    expect(compileBlocks(blocksIn('ts'))).toEqual([])
  })

  test('in JavaScript, where the tests that are named here run them', () => {
    const runners: Readonly<Record<string, string>> = {
      'README.md': 'apps/verify/test/readme.test.ts',
      'docs/write-a-backend.md': 'packages/conformance/test/faults/tcp-backend.test.ts',
    }
    const runner = (path: string): string => runners[path] ?? join(dirname(path), 'test/readme.test.ts')
    const unrun = blocksIn('js').filter(({ path }) => !existsSync(join(root, runner(path))))
    expect(unrun.map(place)).toEqual([])
  })

  test('and what does not is told with its place', { timeout: 120_000 }, () => {
    const code =
      "import { getDefaultClient } from '@ps/core'\n\nawait getDefaultClient().publich('jobs', 1)\n"
    const broken = { path: 'docs/some.md', line: 12, language: 'ts', given: '', code }
    expect(compileBlocks([broken])).toEqual([expect.stringMatching(/^docs\/some\.md:14: .*publich/)])
  })
})

test('what is shown as JSON is JSON', () => {
  for (const block of blocksIn('json')) {
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text)
        return true
      } catch {
        return false
      }
    }
    const lines = block.code.trim().split('\n')
    expect(isJson(block.code) || lines.every(isJson), place(block)).toBe(true)
  }
})

describe('commands', () => {
  const commands = blocksIn('sh')

  test('can be read by a shell', () => {
    for (const block of commands) {
      expect(() => execFileSync('bash', ['-n'], { input: block.code }), place(block)).not.toThrow()
    }
  })

  test('name scripts and packages that there are', () => {
    const manifest = (folder: string): { scripts?: Record<string, string>; name?: string } =>
      JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as object
    const scripts = new Set([...Object.keys(manifest('.').scripts ?? {}), 'install', 'add', 'exec', 'vitest'])
    const named = commands.flatMap((block) =>
      [...block.code.matchAll(/\bpnpm(?:@12)?(?: run)? ([\w:-]+)/g)].map(([, script = '']) => ({
        script,
        at: place(block),
      })),
    )
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter(({ script }) => !scripts.has(script))).toEqual([])

    const installed = commands.flatMap((block) => block.code.match(/@ps\/[\w-]+/g) ?? [])
    const published = ['core', 'redis', 'postgres', 'conformance', 'cli', 'browser']
    for (const name of new Set(installed)) {
      expect(published.map((folder) => manifest(`packages/${folder}`).name)).toContain(name)
    }
  })
})

test('statements are taken by a PostgreSQL', async () => {
  const sql = postgres(inject('postgresUrl'), { max: 1, onnotice: () => undefined })
  try {
    for (const block of blocksIn('sql')) {
      await expect(sql.unsafe(block.code), place(block)).resolves.toBeDefined()
    }
  } finally {
    await sql.end()
  }
})

test('what is shown as Python is Python', ({ skip }) => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' })
  } catch {
    skip('no python3 on this machine')
  }
  for (const block of blocksIn('python')) {
    const compile = "import sys; compile(sys.stdin.read(), 'block', 'exec')"
    expect(() => execFileSync('python3', ['-c', compile], { input: block.code }), place(block)).not.toThrow()
  }
})
