import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandResult, runCommand } from '../run-command.js'
import type { Project, RunOptions } from './package-manager.js'

/** A project whose dependencies are in `node_modules`. */
export function projectWithModulesFolder(folder: string): Project {
  const execute = (command: string, given: readonly string[], options: RunOptions): Promise<CommandResult> =>
    runCommand(command, given, { folder, ...options })
  return {
    folder,
    run: (file, options = {}) => execute(process.execPath, [file], options),
    runProgram: (name, given, options = {}) => execute(join('node_modules/.bin', name), given, options),
    has: (name) => holdsPackage(join(folder, 'node_modules'), name),
  }
}

/** Whether a folder of that name, or one that pnpm made for it, is anywhere below. */
export function holdsPackage(folder: string, name: string): boolean {
  const forPnpm = `${name.replace('/', '+')}@`
  return readdirSync(folder, { recursive: true, withFileTypes: true }).some((entry) => {
    if (entry.isFile()) return false
    const path = join(entry.parentPath, entry.name)
    return path.endsWith(join('node_modules', name)) || entry.name.startsWith(forPnpm)
  })
}
