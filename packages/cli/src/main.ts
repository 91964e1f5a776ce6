#!/usr/bin/env node
import { describeError } from '@ps/core'
import { type Arguments, readArguments } from './arguments.js'
import { both } from './both.js'
import { doctor } from './doctor.js'
import { listen } from './listen.js'
import { publish } from './publish.js'
import { usage } from './usage.js'
import { readVersion } from './version.js'

const commands: Record<string, (given: Arguments) => Promise<void>> = { publish, listen, both, doctor }

// A reader that goes away, as `head` does, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  const given = readArguments(process.argv.slice(2))
  const command = given.command === undefined ? undefined : commands[given.command]
  if (given.version) process.stdout.write(`${readVersion()}\n`)
  else if (given.help || command === undefined) process.stdout.write(usage)
  else await command(given)
} catch (error) {
  const [line] = describeError(error).split('\n')
  process.stderr.write(`error: ${line}\n`)
  process.exitCode = 1
}
