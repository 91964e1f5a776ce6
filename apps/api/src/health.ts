import { describeError } from '@ps/core'
import { readConfiguration } from './configuration.js'

/** How long the api may take to answer, in milliseconds. */
const patience = 5_000
const everyAddress = new Set(['0.0.0.0', '::'])

// Ends with exit code 0 where the api that runs here with the same environment is ready: for the health check of a container.
try {
  const { host, port } = readConfiguration(process.env)
  const name = everyAddress.has(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  const { status } = await fetch(`http://${name}:${port}/readyz`, { signal: AbortSignal.timeout(patience) })
  if (status !== 200) throw new Error(`the api is not ready: /readyz answers ${status}`)
} catch (error) {
  process.stderr.write(`error: ${describeError(error)}\n`)
  process.exitCode = 1
}
