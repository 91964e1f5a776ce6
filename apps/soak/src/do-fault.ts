import type { DrawnFault } from './faults.js'
import type { Fault } from './messages.js'

/** Does a drawn fault. Resolves with its record when it is over. */
export async function doFault(
  names: Pick<Fault, 'fleet' | 'backend' | 'kind'>,
  drawn: DrawnFault,
  signal: AbortSignal,
): Promise<Fault> {
  const start = Date.now()
  const proof = await drawn.run(signal)
  const end = Date.now()
  const publishers = drawn.concerned.filter(({ role }) => role === 'publisher').map(({ number }) => number)
  return { ...names, start, end, publishers, ...proof }
}
