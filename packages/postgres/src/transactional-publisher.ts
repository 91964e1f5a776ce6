import { randomInt } from 'node:crypto'
import { describeError, PubSubError, type SqlTransaction } from '@ps/core'
import { copyMark } from './distinct-payloads.js'
import { isRefusal } from './failures.js'
import { notificationPayloads } from './notification-payloads.js'
import { maxPayloadBytes } from './parts.js'
import { physicalChannel } from './physical-channel.js'
import { runStatementIn } from './run-statement.js'

/** Stands between the parts of a message, which are JSON and base64 and cannot hold it. */
const separator = '\x1f'
/** What a nonce begins with, in characters of two random bits each. */
const randomDigits = 16
/** The longest nonce, in bytes: what it begins with, and a mark that 2^53 messages do not use up. */
const maxNonceBytes = randomDigits + 27

/** Publishes within transactions that others have begun. */
export interface TransactionalPublisher {
  /** The statement is run within the call. `unicode`: whether the encoding of the database is UTF-8. */
  publish(sql: SqlTransaction, channel: string, payload: string, unicode: boolean): Promise<void>
}

export function createTransactionalPublisher(): TransactionalPublisher {
  // Two publishers may meet in one transaction, so a count alone would not keep equal messages apart.
  const ours = Array.from({ length: randomDigits }, () => copyMark(randomInt(1, 5))).join('')
  let published = 0

  return {
    async publish(sql, channel, payload, unicode) {
      const run = runStatementIn(sql)
      const physical = physicalChannel(channel, unicode)
      const [first = '', ...others] = notificationPayloads(payload, unicode, maxPayloadBytes - maxNonceBytes)
      published += 1
      // `count`, because some libraries cannot read the type that pg_notify() returns.
      const [text, payloads] =
        others.length === 0
          ? ['select count(pg_notify($1, $2))', first + ours + copyMark(published)]
          : [
              'select count(pg_notify($1, part)) from unnest(string_to_array($2, chr(31))) as one (part)',
              [first, ...others].join(separator),
            ]
      try {
        // postgres.js and Drizzle run a statement only when it is waited for, and `await` waits a moment later.
        await new Promise((resolve, reject) => {
          run(text, [physical, payloads]).then(resolve, reject)
        })
      } catch (cause) {
        throw statementFailure(cause, channel)
      }
    },
  }
}

function statementFailure(cause: unknown, channel: string): PubSubError {
  const details = { backend: 'postgres', channel, cause }
  const reason = reasonOf(cause)
  const because = describeError(reason)
  return isRefusal(reason) && reason.code === '42501'
    ? new PubSubError('not_permitted', `PostgreSQL does not permit publishing: ${because}`, details)
    : new PubSubError('not_sent', `the transaction did not take the message: ${because}`, details)
}

/** What the server said, if it said something; Drizzle puts an error around it that holds the whole statement. */
function reasonOf(error: unknown): unknown {
  let reason = error
  // Not for ever: causes may go round in a circle.
  for (let depth = 0; depth < 10 && !isRefusal(reason); depth += 1) {
    if (!(reason instanceof Error) || reason.cause === undefined) break
    reason = reason.cause
  }
  return reason
}
