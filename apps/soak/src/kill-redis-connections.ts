/** Which connections of a Redis are killed. */
export type KilledType = 'normal' | 'pubsub' | 'both'

/** Has a Redis kill its connections of a type, or of both. */
export async function killRedisConnections(
  which: KilledType,
  call: (...parts: [string, ...string[]]) => Promise<unknown>,
): Promise<{ count: number; which: string }> {
  let count = 0
  for (const type of which === 'both' ? (['normal', 'pubsub'] as const) : [which])
    count += Number(await call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes'))
  return { count, which }
}
