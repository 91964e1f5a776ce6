import { describeError } from '@ps/core'

/**
 * Runs a program that resolves with whether every limit is kept, and ends this process: with 1 where one is broken, and
 * with 130 where a signal ended it, which aborts the signal given to `run`.
 */
export async function runProgram(run: (signal: AbortSignal) => Promise<boolean>): Promise<never> {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interrupted.abort(new Error(`ended by ${signal}`)))
  }
  try {
    process.exitCode = (await run(interrupted.signal)) ? 0 : 1
  } catch (error) {
    process.stderr.write(`error: ${describeError(error)}\n`)
    process.exitCode = interrupted.signal.aborted ? 130 : 1
  }
  // Everything has been ended; a handle that was left behind must not keep the verdict.
  process.exit()
}
