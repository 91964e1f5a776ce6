import type { Random } from './random.js'

/** Has a Redis kill its connections of a kind, or of all. */
export async function killRedisConnections(
  random: Random,
  call: (...parts: [string, ...string[]]) => Promise<unknown>,
): Promise<{ count: number; which: string }> {
  const which = random.pick(['normal', 'pubsub', 'both'])
  let count = 0
  for (const type of which === 'both' ? (['normal', 'pubsub'] as const) : [which])
    count += Number(await call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes'))
  return { count, which }
}
