import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { CoreOptions } from './core-worker.js'
import type { Measurement, Row } from './results.js'

/** Measures the client alone, in a process of its own. */
export async function runCore(
  options: CoreOptions,
  nodeArguments: readonly string[],
  signal: AbortSignal,
): Promise<Measurement> {
  const child = fork(fileURLToPath(new URL('core-worker.js', import.meta.url)), [JSON.stringify(options)], {
    execArgv: ['--expose-gc', ...nodeArguments],
    signal,
  })
  const rows = await new Promise<readonly Row[]>((resolve, reject) => {
    let told: readonly Row[] | undefined
    child.on('message', (message) => {
      told = message as readonly Row[]
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (told === undefined) reject(new Error(`the measurement of the core ended with ${code}`))
      else resolve(told)
    })
  })
  return {
    name: 'core',
    title: 'The client alone, 100 B, over a backend that does nothing',
    figure: 'nanoseconds',
    shows: ['nanoseconds', 'deliveryNanoseconds', 'channelBytes'],
    rows,
  }
}
