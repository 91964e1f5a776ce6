const firstMilliseconds = 50
const capMilliseconds = 1_000

/**
 * How long to wait before attempt number `attempt` (0 is the first retry), in milliseconds: capped exponential backoff
 * with full jitter (so that a fleet does not return in step), from at most 50 ms to at most 1 s. The cap is what lets
 * the first publish after an outage succeed within 2 s of the broker's return.
 */
export function retryDelay(attempt: number): number {
  return Math.random() * Math.min(capMilliseconds, firstMilliseconds * 2 ** Math.min(attempt, 20))
}
