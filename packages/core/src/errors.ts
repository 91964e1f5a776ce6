import type { SchemaIssue } from './standard-schema.js'

/**
 * What went wrong, as a stable word.
 *
 * The caller's fault, thrown by `publish`, `listen` and `messages`:
 * - `closed`: the client has been closed.
 * - `invalid_channel`: the channel is not a non-empty string of at most 255 UTF-8 bytes without NUL, or begins with `$ps`.
 * - `invalid_message`: the message has no JSON text (`undefined`, a function, a BigInt, a cycle) or does not fit its schema: `issues`.
 * - `message_too_large`: its JSON text is longer than `maxMessageBytes`.
 * - `not_permitted`: the broker refuses this to us (a Redis ACL, a PostgreSQL privilege).
 *
 * The configuration's fault, thrown while a client is created:
 * - `configuration`: an unknown value, an unusable URL, a database that does not exist. Also thrown by a `publish` with `sql`, where
 *   the client does not use PostgreSQL or `sql` is no transaction.
 * - `authentication`: the broker refused the user or the password at the very first connect.
 * - `backend_missing`: the package of the chosen backend is not installed or not registered.
 *
 * Reported on the `error` event, where a `publish` resolved `false` or a message was not delivered:
 * - `queue_full`: too much waits to be sent.
 * - `timeout`: no broker accepted the message within `publishTimeout`.
 * - `not_sent`: the broker certainly did not get it; it may be sent again. Thrown by a `publish` with `sql` whose statement failed.
 * - `outcome_unknown`: the broker may or may not have accepted it.
 * - `unavailable`: the broker cannot be reached.
 * - `invalid_payload`: a publisher sent something that is not JSON, or does not fit the channel's schema: `issues`.
 * - `listener_failed`: a listener's callback threw or rejected.
 * - `gap`: messages may be missing (thrown by `messages()` where asked for).
 */
export type PubSubErrorCode =
  | 'closed'
  | 'invalid_channel'
  | 'invalid_message'
  | 'message_too_large'
  | 'not_permitted'
  | 'configuration'
  | 'authentication'
  | 'backend_missing'
  | 'queue_full'
  | 'timeout'
  | 'not_sent'
  | 'outcome_unknown'
  | 'unavailable'
  | 'invalid_payload'
  | 'listener_failed'
  | 'gap'

/** Facts that belong to an error, for programs; the message says the same in words. */
export interface PubSubErrorDetails {
  /** The channel concerned. */
  readonly channel?: string
  /** The backend concerned, by name. */
  readonly backend?: string
  /** The bound that was broken, in bytes. */
  readonly limit?: number
  /** What was given, in bytes. */
  readonly actual?: number
  /** What the schema of the channel found. */
  readonly issues?: readonly SchemaIssue[]
  /** The error below this one. */
  readonly cause?: unknown
}

// Two copies of this package in one program must recognise each other's errors, so a marker decides, not `instanceof`.
const marker = Symbol.for('@ps/core/PubSubError')

/** The one error class of `@ps/*`. Recognise it with {@link isPubSubError}, decide by its `code`. */
export class PubSubError extends Error {
  /** What to decide by. */
  readonly code: PubSubErrorCode
  /** The channel concerned. */
  readonly channel: string | undefined
  /** The backend concerned, by name. */
  readonly backend: string | undefined
  /** The bound that was broken, in bytes. */
  readonly limit: number | undefined
  /** What was given, in bytes. */
  readonly actual: number | undefined
  /** What the schema has against the message. */
  readonly issues: readonly SchemaIssue[] | undefined

  constructor(code: PubSubErrorCode, message: string, details: PubSubErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.name = 'PubSubError'
    this.code = code
    this.channel = details.channel
    this.backend = details.backend
    this.limit = details.limit
    this.actual = details.actual
    this.issues = details.issues
    Object.defineProperty(this, marker, { value: true })
  }
}

/** Whether `error` is a {@link PubSubError}, of `code` where one is given, from any copy of this package. */
export function isPubSubError(error: unknown, code?: PubSubErrorCode): error is PubSubError {
  return (
    typeof error === 'object' &&
    error !== null &&
    marker in error &&
    (code === undefined || ('code' in error && error.code === code))
  )
}

/** The text of anything thrown, for one log line. An `AggregateError` (a host with several addresses) has its text below. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(describeError).join('; ')
  if (error instanceof Error) return error.message || error.name
  try {
    return String(error)
  } catch {
    // An object without a prototype, or one whose own toString() throws.
    return 'something that has no text was thrown'
  }
}
