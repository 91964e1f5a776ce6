const count = { type: 'integer', minimum: 0 } as const
const latencyMs = { type: ['number', 'null'], description: 'A round trip; null while it is down' } as const

const counters = <Name extends string>(...names: readonly Name[]) => ({
  type: 'object',
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, count])),
})

/** The health of the client, as `/readyz` gives it. */
export const healthSchema = {
  type: 'object',
  required: 'backend state latencyMs reason since backends recovery queued counts draining'.split(' '),
  properties: {
    backend: { type: 'string', description: 'What publishing uses now' },
    state: { type: 'string', enum: ['ready', 'degraded', 'down'] },
    latencyMs,
    reason: { type: 'string', description: 'Why this backend' },
    since: { type: 'string', format: 'date-time' },
    backends: {
      type: 'array',
      description: 'The first choice first',
      items: {
        type: 'object',
        required: ['name', 'state', 'latencyMs'],
        properties: {
          name: { type: 'string' },
          state: { type: 'string', enum: ['ready', 'down'] },
          latencyMs,
          reason: { type: 'string', description: 'Why it is down; not where credentials are configured' },
        },
      },
    },
    recovery: {
      type: ['object', 'null'],
      description: 'null where recovery is off',
      required: ['publisher', 'kept', 'heldBytes', 'resent', 'forgotten', 'requested', 'doubles'],
      properties: {
        publisher: { type: 'string' },
        kept: counters('messages', 'bytes'),
        heldBytes: count,
        resent: count,
        forgotten: count,
        requested: count,
        doubles: count,
      },
    },
    queued: counters('messages', 'bytes'),
    counts: counters('published', 'failed', 'delivered', 'dropped', 'invalid', 'gaps'),
    draining: { type: 'boolean', description: 'Whether this server is stopping' },
    faults: { type: 'boolean', description: 'In development: things can be made to go wrong on purpose' },
  },
}
