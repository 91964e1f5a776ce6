import { type CommandOptions, type CommandResult, runCommand } from './run-command.js'

/** As the README says it: with nothing but Node and npm. */
export const runPnpm = (given: readonly string[], options: CommandOptions): Promise<CommandResult> =>
  runCommand('npx', ['--yes', 'pnpm@12', ...given], options)
