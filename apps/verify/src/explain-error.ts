import { inspect } from 'node:util'

/** What went wrong, and below it why. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error)
  return error.cause === undefined ? error.message : `${error.message}\n${explainError(error.cause)}`
}
