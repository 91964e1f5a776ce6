import { eventFrame } from '../event-frame.js'
import type { Problem } from '../problem.js'

export const farewellHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-store, no-transform',
}

/** A stream that only says when to come back: an EventSource gives up for good where the answer is not 200. */
export function limitFarewell({ headers }: Problem): Buffer {
  const seconds = Number(headers['retry-after'] ?? 1)
  // Different for each, so that those who were refused together do not come back together.
  const retry = Math.round(seconds * 1_000 + Math.random() * 4_000)
  return Buffer.concat([
    Buffer.from(`retry: ${retry}\n\n`),
    eventFrame({ reason: 'limit' }, { event: 'ps.bye' }),
  ])
}
