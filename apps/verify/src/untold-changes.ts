import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from './manifest.js'
import { readPublishedPackages } from './published-packages.js'

/** What of a package its users get. */
const isShipped = (path: string): boolean => /^(src\/|README\.md$|package\.json$)/.test(path)

/**
 * The packages that differ from `base` in what their users get, and of which no changeset tells that is new or longer than
 * there. A package whose version differs is being released: its changesets have become its changelog.
 */
export function findUntold(workspace: string, base: string): string[] {
  const git = (...given: string[]): string =>
    execFileSync('git', given, { cwd: workspace, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const begin = (): string => {
    try {
      return git('merge-base', base, 'HEAD').trim()
    } catch (cause) {
      throw new Error(`there is no ${base} here to compare with: fetch it, or name another commit`, { cause })
    }
  }
  const from = begin()
  const changed = git('diff', '--name-only', '-z', from)
    .split('\0')
    .filter((file) => file !== '')
  const told = new Set(
    changed
      .filter((file) => /^\.changeset\/.+\.md$/.test(file) && existsSync(join(workspace, file)))
      .flatMap((file) => namesIn(readFileSync(join(workspace, file), 'utf8'))),
  )
  const versionBefore = (file: string): string | undefined => {
    try {
      return (JSON.parse(git('show', `${from}:${file}`)) as Manifest).version
    } catch {
      // It is new.
      return undefined
    }
  }
  return readPublishedPackages(workspace)
    .filter(({ name, folder, manifest }) => {
      const path = `${folder.slice(workspace.length + 1)}/`
      const isChanged = changed.some((file) => file.startsWith(path) && isShipped(file.slice(path.length)))
      if (!isChanged || told.has(name)) return false
      const before = versionBefore(`${path}package.json`)
      return before === undefined || before === manifest.version
    })
    .map(({ name }) => name)
}

/** The packages that a changeset names in its head. */
function namesIn(changeset: string): string[] {
  const [, head = ''] = changeset.split(/^---$/m)
  return [...head.matchAll(/^["']?([^"':\s]+)["']?:/gm)].map(([, name = '']) => name)
}
