#!/usr/bin/env node
import { profileCommand } from './command/profile-command.js'
import { UsageError, usage } from './command/usage.js'
import { runWorker } from './worker/run-worker.js'

const commands: Record<string, (given: readonly string[]) => Promise<void>> = { profile: profileCommand }

// A reader that goes away, as `head` does, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  const [name, ...given] = process.argv.slice(2)
  if (name === '--help' || name === '-h' || given.includes('--help')) process.stdout.write(usage)
  else if (name === undefined) await runWorker(process.env)
  else {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (command === undefined)
      throw new UsageError(`use one of these commands: ${Object.keys(commands).join(', ')}`)
    await command(given)
  }
} catch (error) {
  const [line] = (error instanceof Error ? error.message : String(error)).split('\n')
  process.stderr.write(`error: ${line}\n`)
  process.exitCode = 1
}
