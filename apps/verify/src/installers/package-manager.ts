import type { CommandResult } from '../run-command.js'

export interface ProjectOptions {
  /** An empty folder. */
  readonly folder: string
  /** Name and range of what it depends on. */
  readonly dependencies: Readonly<Record<string, string>>
  /** Where `@ps/*` is taken from; everything else comes from where this machine has it from. */
  readonly registry: string
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>> | undefined
  readonly mayFail?: boolean | undefined
}

/** A project of somebody else, installed. */
export interface Project {
  readonly folder: string
  /** Runs a JavaScript file of the project. */
  run(file: string, options?: RunOptions): Promise<CommandResult>
  /** Runs a program that a dependency brought. */
  runProgram(name: string, given: readonly string[], options?: RunOptions): Promise<CommandResult>
  /** Whether the package is anywhere in what was installed, at any depth. */
  has(name: string): boolean
}

export interface PackageManager {
  readonly name: string
  /** Whether CommonJS can `require` an ES module. */
  readonly canRequireModules: boolean
  install(options: ProjectOptions): Promise<Project>
}
