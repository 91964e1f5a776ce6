const firstMilliseconds = 500
const capMilliseconds = 10_000

/**
 * How long to wait before attempt number `attempt` (0 is the first), in milliseconds: capped exponential backoff of which
 * the upper half is random, so that all open pages do not return in step after a restart of the server.
 */
export function retryDelay(attempt: number): number {
  const longest = Math.min(capMilliseconds, firstMilliseconds * 2 ** attempt)
  return longest / 2 + (Math.random() * longest) / 2
}
