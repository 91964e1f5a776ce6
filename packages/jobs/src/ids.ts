/** Whether this may be the id of a job, which names files. */
export const isId = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w-]{1,100}$/.test(value)

/** Whether this may be the id of an engine, which is a part of the name of its inbox. */
export const isEngineId = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w.-]{1,100}$/.test(value)
