import { realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BackendModule } from './backend.js'
import { PubSubError } from './errors.js'

/** The folders from which an installed backend is looked for: that of the program, then the working directory. */
function searchFolders(): string[] {
  const folders = [process.cwd()]
  const program = process.argv[1]
  if (program !== undefined) {
    try {
      // The real path, because package managers start programs through links that stand elsewhere.
      const file = realpathSync(program)
      // `node folder` leaves the folder here, not the file in it.
      folders.unshift(statSync(file).isDirectory() ? file : dirname(file))
    } catch {
      // No file: started as `node -e`, or as `node program` without the extension.
      if (isAbsolute(program)) folders.unshift(dirname(program))
    }
  }
  return [...new Set(folders)]
}

/** Where the package `@ps/<name>` is installed for this program, if it is. */
export function findInstalledBackend(name: string): string | undefined {
  for (const folder of searchFolders()) {
    try {
      return createRequire(join(folder, 'from-here.js')).resolve(`@ps/${name}`)
    } catch {
      // Not here; the error that lists all places is made by the caller.
    }
  }
  return undefined
}

/** Imports the package `@ps/<name>` as this program has it installed. Throws `backend_missing`. */
export async function importInstalledBackend(name: string): Promise<BackendModule> {
  const file = findInstalledBackend(name)
  if (file === undefined) throw missingBackend(name)
  return (await import(pathToFileURL(file).href)) as BackendModule
}

export function missingBackend(name: string): PubSubError {
  const places = searchFolders().join(' and ')
  return new PubSubError(
    'backend_missing',
    `the package @ps/${name} is not installed: install it (npm install @ps/${name}), or pass it as ` +
      `createClient({ backends: { ${name}: () => import('@ps/${name}') } }) where the program is bundled; looked in ${places}`,
    { backend: name },
  )
}
