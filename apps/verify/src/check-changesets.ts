import { findUntold } from './untold-changes.js'
import { workspace } from './workspace.js'

const [base = 'origin/main'] = process.argv.slice(2)
try {
  const untold = findUntold(workspace, base)
  for (const name of untold)
    process.stderr.write(
      `error: ${name} has changed since ${base}, and no changeset tells it: run pnpm changeset\n`,
    )
  if (untold.length > 0) process.exitCode = 1
  else process.stdout.write(`every package that has changed since ${base} has a changeset\n`)
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
