import { randomBytes } from 'node:crypto'
import type { Connection } from './connection.js'
import { findRoom, isQueueFull } from './notification-queue.js'
import { quoteChannel } from './physical-channel.js'

/** How long a connection that listens may bring nothing while it should bring the notification, in milliseconds. */
const silenceMilliseconds = 3_000

/** Finds out whether what one connection notifies of is heard on another: not so through many poolers. */
export interface SelfTest {
  /** Where the test is heard. */
  readonly channel: string
  /** A notification arrived on the channel. */
  hear(payload: string): void
  /** The connection under test is lost. */
  fail(cause: Error): void
  /** Resolves when a notification sent by `publishing` was heard on `listening`; loses `listening` where it is not. */
  run(publishing: Connection, listening: Connection): Promise<void>
}

/** `advice` says what to do where nothing is heard. */
export function createSelfTest(advice: string): SelfTest {
  const channel = `$ps.self.${randomBytes(12).toString('base64url')}`
  let expected: { nonce: string; resolve: () => void; reject: (cause: Error) => void } | undefined

  return {
    channel,
    hear(payload) {
      if (payload === expected?.nonce) expected.resolve()
    },
    fail(cause) {
      expected?.reject(cause)
    },
    async run(publishing, listening) {
      const nonce = randomBytes(12).toString('base64url')
      let stop = (): void => {}
      // Not before it is sent: until then whoever holds that up is to blame.
      const expectSoon = (): void => {
        if (expected?.nonce !== nonce) return
        stop = listening.watch(silenceMilliseconds, () =>
          listening.lose(
            new Error(
              `a notification of our own was not heard within ${silenceMilliseconds / 1_000} s; ${advice}`,
            ),
          ),
        )
      }
      try {
        await listening.query((sql) => sql.unsafe(`LISTEN ${quoteChannel(channel)}`))
        await new Promise<void>((resolve, reject) => {
          expected = { nonce, resolve, reject }
          // The command, since the right to call pg_notify() may be taken from a user who only listens.
          publishing
            .query((sql) => sql.unsafe(`NOTIFY ${quoteChannel(channel)}, '${nonce}'`))
            .then(expectSoon, reject)
        })
        // A session that listens to anything is woken by every notification in its database, and slows those who publish.
        await listening.query((sql) => sql.unsafe(`UNLISTEN ${quoteChannel(channel)}`))
      } catch (error) {
        if (isQueueFull(error)) await findRoom(publishing)
        throw error
      } finally {
        stop()
        expected = undefined
      }
    },
  }
}
