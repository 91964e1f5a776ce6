import { describeError, PubSubError } from './errors.js'
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.js'

/** What a schema says of a message. */
export type Verdict =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[]; readonly cause?: unknown }

/** Asks a schema. Neither throws nor rejects. */
export type Check = (message: unknown) => Verdict | Promise<Verdict>

/** By channel. Throws `configuration` where something is no schema. */
export function createChecks(
  channels: Readonly<Record<string, StandardSchema | undefined>>,
): ReadonlyMap<string, Check> {
  const checks = new Map<string, Check>()
  for (const [channel, schema] of Object.entries(channels)) {
    if (schema === undefined) continue
    assertSchema(channel, schema)
    checks.set(channel, (message) => {
      try {
        const result = schema['~standard'].validate(message)
        return 'then' in result ? awaited(result) : read(result)
      } catch (cause) {
        return broken(cause)
      }
    })
  }
  return checks
}

function assertSchema(channel: string, schema: unknown): void {
  const isObject = (value: unknown): value is object =>
    (typeof value === 'object' && value !== null) || typeof value === 'function'
  const standard = isObject(schema) && '~standard' in schema ? schema['~standard'] : undefined
  if (isObject(standard) && 'validate' in standard && typeof standard.validate === 'function') return
  throw new PubSubError(
    'configuration',
    `the schema of channel ${JSON.stringify(channel)} is not a Standard Schema: use one of Zod, Valibot, ArkType or another library that keeps to it`,
    { channel },
  )
}

/** Every library is taken at its word for the rest, but one that gives nothing must not end the program. */
function read(result: SchemaResult<unknown>): Verdict {
  if (typeof result !== 'object' || result === null) throw new TypeError('it gave no result')
  if (result.issues !== undefined && !Array.isArray(result.issues))
    throw new TypeError('its issues are no array')
  return result
}

async function awaited(result: PromiseLike<SchemaResult<unknown>>): Promise<Verdict> {
  try {
    return read(await result)
  } catch (cause) {
    return broken(cause)
  }
}

const broken = (cause: unknown): Verdict => ({
  issues: [{ message: `the schema failed: ${describeError(cause)}` }],
  cause,
})
