import type { Logger } from './logger.js'
import type { Send } from './send.js'
import type { SqlTransaction } from './sql-transaction.js'

/** Whether a backend can take and bring messages now. */
export type BackendState = 'ready' | 'down'

/**
 * What a backend calls, given to it at {@link Backend.start}. It may call these at any time until `close()` has
 * resolved, and never after. None of them throws.
 */
export interface BackendEvents {
  /** A payload arrived on a channel that is subscribed to. In the order of arrival; once a payload, however many listeners. */
  message(channel: string, payload: string): void
  /**
   * The subscriptions were interrupted and are **live again**: what was published in between may be missing. Called once
   * an interruption, after every wanted channel is confirmed anew, before or together with `state('ready')`, and before
   * any `message` that arrived after the interruption (`createInbox` keeps those back).
   */
  gap(reason: string): void
  /**
   * The backend became `ready` (it publishes, and every wanted subscription is confirmed) or `down`. Called on changes
   * only. `cause` says why it is down; a further `down` with another cause replaces it.
   */
  state(state: BackendState, cause?: Error): void
  /** A payload arrived that cannot be read (a malformed part, say). The payload is dropped. */
  invalid(channel: string, cause: Error): void
}

/**
 * A broker, seen as something that moves strings over channels. It knows nothing of listeners, JSON or schemas.
 *
 * Ground rules: a backend owns its connections and reconnects by itself, for ever, with {@link retryDelay} between
 * attempts; nothing it does may end in an unhandled rejection or an uncaught exception; no error or log line of it
 * holds a password.
 */
export interface Backend {
  /** Its name in logs, errors and `health()`: `redis`, `postgres`, … */
  readonly name: string

  /**
   * The longest payload that it moves in one piece, in bytes of UTF-8, where a longer one costs more for what it carries.
   * A client that packs makes no pack longer. Default: 64 KiB.
   */
  readonly payloadBytes?: number

  /**
   * Connects. Resolves once the first attempt has an outcome: connected, or `state('down', cause)` has been called (the
   * backend then goes on trying). The attempt is bounded in time (a few seconds).
   *
   * Rejects, and leaves nothing behind, only for what no waiting can mend: `configuration` (unusable URL, no such
   * database) and `authentication`. Later refusals are retried, since passwords rotate.
   */
  start(events: BackendEvents): Promise<void>

  /**
   * Resolves when what is published from now on will arrive. Survives reconnects. While the backend is down it waits for
   * the reconnect. Rejects with `not_permitted` or `closed`, and then the channel is not subscribed. Core calls it only
   * where the channel is not subscribed, and never twice at once for one channel; for different channels, concurrently.
   */
  subscribe(channel: string): Promise<void>

  /**
   * Resolves when the broker has let go of the channel; while down, at once. After the call no `message` of the channel
   * is delivered. Core calls it only after `subscribe` of the channel has resolved.
   */
  unsubscribe(channel: string): Promise<void>

  /**
   * Resolves on the broker's acknowledgement. Many may be in flight at once; those of one channel are accepted in the
   * order of the calls, whatever their sizes. Equal payloads are separate messages.
   *
   * Rejects with `not_sent` (the broker certainly did not get it), `outcome_unknown` (it may have), `not_permitted`
   * or `closed`. It never sends again in secret, and never waits for a reconnect: while down it rejects `not_sent` at
   * once. It never hangs: a broker that stays mute for a few seconds is given up, and the backend reconnects.
   */
  publish(channel: string, payload: string): Promise<void>

  /**
   * The same as `publish` without a promise for each message, which is a good part of what a message costs. Where it is
   * there, core calls it for all that it has to wait for, and its order is that of both methods together.
   *
   * It calls `settled` exactly once, with the ticket that it was given, and with the error that `publish` would reject with
   * if it has one: after the call has returned, never within it. Those of one broker's answer are best settled in one loop.
   */
  readonly send?: Send | undefined

  /**
   * Publishes within a transaction of the caller's own, over the caller's connection: only for a broker that is a database. The
   * payload leaves when that commits, and never if it does not. Within one transaction the order is that of the calls, and
   * equal payloads are separate messages.
   *
   * The statement is run within the call. Resolves when the database has taken it; that is not an acknowledgement. It needs no
   * connection of the backend's own, so it may be called while that is down.
   *
   * Rejects with `not_sent` (the statement failed; the error of the caller's library is the `cause`), `not_permitted`,
   * `configuration` (`sql` is nothing that a statement can be run with), `unavailable` (the database has never been reached, and
   * what must be known of it is not) or `closed`.
   */
  publishWith?(sql: SqlTransaction, channel: string, payload: string): Promise<void>

  /** A real round trip to the broker on the connection that publishes. Rejects `unavailable` while down. */
  ping(): Promise<void>

  /** Sends what was published before the call, disconnects and leaves no handle, within a few seconds. Idempotent. */
  close(): Promise<void>
}

/** What a backend is made from. */
export interface BackendOptions {
  /** Where the broker is. */
  readonly url: string
  /** Another address of the same broker for listening, where `url` is a pooler that cannot LISTEN. Default: `url`. */
  readonly listenUrl?: string | undefined
  /** The longest payload that need be moved, in bytes of UTF-8. Default: 1 MiB. */
  readonly maxMessageBytes?: number | undefined
  /** Where it writes what an operator should know. Default: nowhere. */
  readonly log?: Logger | undefined
}

/** Something that an examination of a broker has found. No text of it holds a password. */
export interface Finding {
  /** What was looked at, for programs: `refused`, `hot_standby`, … It does not change with the words. */
  readonly code: string
  /** `problem`: it does not work, or not as promised. `warning`: it works, and something may go wrong. */
  readonly severity: 'ok' | 'warning' | 'problem'
  /** What is so, in one line. */
  readonly message: string
  /** What to do about it, in one line. */
  readonly fix?: string | undefined
  /** The broker's own version, where this finding is about the broker. */
  readonly version?: string | undefined
}

/** What is examined. */
export interface ExamineOptions extends BackendOptions {
  /** Put before every channel name on the wire; it is in `channels` already. */
  readonly prefix: string
  /** Channels that must work, as they are on the wire. */
  readonly channels: readonly string[]
}

/** What a package that holds a backend exports. */
export interface BackendModule {
  /** Makes one that has not been started. */
  createBackend(options: BackendOptions): Backend
  /**
   * Looks at the broker on connections of its own, and says what it finds, also what is well. It never rejects, changes
   * nothing, publishes nothing on `channels`, is done within some ten seconds, and leaves nothing behind.
   */
  examine?(options: ExamineOptions): AsyncIterable<Finding>
}
