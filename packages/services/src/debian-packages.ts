import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { onPath } from './on-path.js'

const run = promisify(execFile)

export interface DebianPackages {
  /** Of the folder that they are unpacked into. */
  readonly name: string
  /** Or what asks for their names, where these differ from system to system. */
  readonly required: readonly string[] | (() => Promise<readonly string[]>)
  /** Libraries that a small system may lack, by all the names that they have had. */
  readonly optional: readonly string[]
}

export interface UnpackedPackages {
  readonly folder: string
  /** What their programs need to find their libraries. */
  readonly environment: NodeJS.ProcessEnv
}

export const hasDebianPackages = (): boolean =>
  onPath('apt-get') !== undefined && onPath('dpkg') !== undefined

/**
 * Downloads packages of Debian or Ubuntu and unpacks them into a folder of this user, without installing anything; once a
 * user. Throws an error of one line.
 */
export async function unpackDebianPackages({
  name,
  required,
  optional,
}: DebianPackages): Promise<UnpackedPackages> {
  const cache = cacheFolder()
  const folder = join(cache, name)
  if (!existsSync(join(folder, 'usr'))) {
    mkdirSync(cache, { recursive: true })
    const building = mkdtempSync(join(cache, `${name}-`))
    try {
      await download(building, required, optional)
      for (const file of readdirSync(building).filter((entry) => entry.endsWith('.deb'))) {
        await run('dpkg', ['-x', join(building, file), building])
        rmSync(join(building, file))
      }
      renameSync(building, folder)
    } catch (error) {
      rmSync(building, { recursive: true, force: true })
      // Another process may have been quicker.
      if (!existsSync(join(folder, 'usr'))) throw new Error(firstLine(error), { cause: error })
    }
  }
  const libraries = ['usr/lib', 'lib']
    .map((parent) => join(folder, parent))
    .filter((parent) => existsSync(parent))
    .flatMap((parent) => readdirSync(parent).map((entry) => join(parent, entry)))
  return { folder, environment: { ...process.env, LD_LIBRARY_PATH: libraries.join(delimiter) } }
}

/** The version of a package of this system, whether it is installed or not. Rejects where its name is not known. */
export async function debianVersion(name: string): Promise<string> {
  const { stdout } = await run('apt-cache', ['show', '--no-all-versions', name])
  return /^Version: (.*)$/m.exec(stdout)?.[1] ?? ''
}

async function download(
  folder: string,
  required: DebianPackages['required'],
  optional: readonly string[],
): Promise<void> {
  const fetch = (name: string): Promise<unknown> => run('apt-get', ['download', '-q', name], { cwd: folder })
  const fetchRequired = async (): Promise<void> => {
    for (const name of typeof required === 'function' ? await required() : required) await fetch(name)
  }
  try {
    await fetchRequired()
  } catch (error) {
    // A fresh machine has no lists of packages yet; only root can fetch them.
    if (process.getuid?.() !== 0) throw error
    await run('apt-get', ['update', '-q'])
    await fetchRequired()
  }
  // Whether one was missing shows when the program is run. One that is there and cannot be had now would be missing for good.
  for (const name of optional) {
    await fetch(name).catch((error: unknown) => {
      if (String(error).includes('E: Failed to fetch')) throw error
    })
  }
}

/** The first line is only the command; what apt-get has to say begins with "E:". */
function firstLine(error: unknown): string {
  const lines = String(error instanceof Error ? error.message : error).split('\n')
  return lines.find((text) => text.startsWith('E: ')) ?? lines[0] ?? ''
}

/** Where unpacked programs are kept, for this user. */
function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  try {
    mkdirSync(base, { recursive: true })
    return join(base, 'ps-services')
  } catch {
    return join(tmpdir(), `ps-services-${process.getuid?.() ?? ''}`)
  }
}
