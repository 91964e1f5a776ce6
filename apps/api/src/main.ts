#!/usr/bin/env node
import { describeError } from '@ps/core'
import { type Logger, pino } from 'pino'
import { startApi } from './api.js'
import { readConfiguration } from './configuration.js'

/** How long a stop may take, in milliseconds, before the process goes as it is. */
const stopDeadline = 9_500

const stopped = new Promise<string>((resolve) => {
  process.once('SIGTERM', resolve)
  process.once('SIGINT', resolve)
})

let log: Logger | undefined
// From the signal on, whatever is going on: a start that hangs must not make us immortal.
void stopped.then((signal) => {
  log?.info({ signal }, 'stopping')
  setTimeout(() => {
    log?.warn('not stopped in time: leaving')
    process.exit(1)
  }, stopDeadline).unref()
})

try {
  const configuration = readConfiguration(process.env)
  log = pino({ level: configuration.logLevel, base: null })
  const api = await startApi(configuration, log)
  await stopped
  await api.close()
  log.info('stopped')
} catch (error) {
  process.stderr.write(`error: ${explain(error)}\n`)
  process.exitCode = 1
}

function explain(error: unknown): string {
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string }
  if (port === undefined || (code !== 'EADDRINUSE' && code !== 'EACCES')) return describeError(error)
  const why = code === 'EADDRINUSE' ? 'is in use' : 'is not permitted'
  return `port ${port} on ${address} ${why}: choose another with PORT`
}
