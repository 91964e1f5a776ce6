import type { PubSubError } from './errors.js'
import type { SqlTransaction } from './sql-transaction.js'

/** Channels and the messages that travel on them. A client without one takes any channel and any message. */
export type ChannelMap = Record<string, unknown>

/** Says that messages may be missing on a channel. */
export interface Gap {
  /** The channel on which something may be missing. */
  readonly channel: string
  /** Why, in words: the connection was lost, the listener was too slow. */
  readonly reason: string
  /** How many messages are missing, where that is known. */
  readonly missed?: number
  /** The client that published what is missing, where recovery knows it: see {@link RecoveryHealth.publisher}. */
  readonly publisher?: string
}

/**
 * What happens to a listener whose queue is full: `drop-oldest` and `drop-newest` drop messages and tell a {@link Gap}
 * with their count; `close` tells the gap and closes the subscription.
 */
export type OverflowPolicy = 'drop-oldest' | 'drop-newest' | 'close'

/** How to publish. */
export interface PublishOptions {
  /**
   * A transaction of PostgreSQL that the message is a part of: it leaves when and only when that commits. Needs a client that
   * uses PostgreSQL, as its backend or as its fallback, and a transaction in the same database. `undefined`: the message leaves at once.
   */
  readonly sql?: SqlTransaction | undefined
}

/** How to listen. */
export interface ListenOptions {
  /** Aborting it closes the subscription, in every state; a `listen` still pending rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Called, in its place between the messages, where some may be missing. */
  readonly onGap?: ((gap: Gap) => void) | undefined
  /** What to do when messages arrive faster than the callback takes them. Default: `drop-oldest`. */
  readonly overflow?: OverflowPolicy | undefined
}

/** How to pull messages. */
export interface MessagesOptions extends ListenOptions {
  /** Throw a `PubSubError` with code `gap` out of the loop where messages may be missing. Default: `false`. */
  readonly throwOnGap?: boolean | undefined
}

/** One listener on one channel. */
export interface Subscription extends AsyncDisposable {
  /** As it was given to `listen`, without a prefix. */
  readonly channel: string
  /** Whether it has ended: unsubscribed, aborted, closed by overflow, or its client closed. */
  readonly closed: boolean
  /** Stops delivery at once; resolves when the broker has let go of the channel. Idempotent. */
  unsubscribe(): Promise<void>
}

/** `ready`: every broker is up. `degraded`: messages travel, but a broker is down. `down`: no broker is up. */
export type ClientState = 'ready' | 'degraded' | 'down'

/** One broker in {@link Health}. */
export interface BackendHealth {
  /** `postgres`, `redis`, or what a backend of your own is called. */
  readonly name: string
  /** Whether it takes and brings messages now. */
  readonly state: 'ready' | 'down'
  /** A round trip, in milliseconds; `null` while down. */
  readonly latencyMs: number | null
  /** Why it is down. */
  readonly reason?: string
}

/** What recovery has to do; counted since the client was created. */
export interface RecoveryHealth {
  /** The id under which this client publishes; no two clients share one. */
  readonly publisher: string
  /** What was published and is kept to be sent again. */
  readonly kept: { readonly messages: number; readonly bytes: number }
  /** What is held back because something before it is missing. */
  readonly heldBytes: number
  /** Messages sent again because a listener asked for them. */
  readonly resent: number
  /** Messages that a listener asked for and that were no longer kept. */
  readonly forgotten: number
  /** Messages asked for, once a request. */
  readonly requested: number
  /** Messages that had arrived before, and were dropped. */
  readonly doubles: number
}

/** What {@link Client.health} found. */
export interface Health {
  /** The backend that publishing uses now, or would use first while none is up. */
  readonly backend: string
  /** Found by asking the brokers now. */
  readonly state: ClientState
  /** A round trip to `backend`, in milliseconds; `null` while it is down. */
  readonly latencyMs: number | null
  /** Why this backend carries the messages now. */
  readonly reason: string
  /** Since when it does, as an ISO 8601 date. */
  readonly since: string
  /** Every configured broker, the first choice first. */
  readonly backends: readonly BackendHealth[]
  /** What recovery does; `null` where it is off. */
  readonly recovery: RecoveryHealth | null
  /** What waits to be acknowledged. */
  readonly queued: { readonly messages: number; readonly bytes: number }
  /** Counted since the client was created. */
  readonly counts: Counts
}

/** Counted since a client was created. */
export interface Counts {
  /** Publishes that resolved `true`, those of transactions among them, whether committed or not. */
  readonly published: number
  /** Publishes that resolved `false`. */
  readonly failed: number
  /** Messages handed to callbacks, once a listener. */
  readonly delivered: number
  /** Messages dropped by full listener queues, once a listener. */
  readonly dropped: number
  /** Payloads that arrived and were not delivered because they could not be read or did not fit their schema. */
  readonly invalid: number
  /** Gaps told, once a listener. */
  readonly gaps: number
}

/** A change of the client's state, or of the backend that carries its messages. */
export interface StateChange {
  /** From now on. */
  readonly state: ClientState
  /** The backend that publishing uses from now on. */
  readonly backend: string
  /** Why it changed, in words. */
  readonly reason: string
}

/** What a client reports by {@link Client.on}. */
export interface ClientEvents {
  /** A publish resolved `false`, a payload could not be read, a callback failed, a broker went down. */
  error: PubSubError
  /** The state changed, or the backend that carries the messages. */
  state: StateChange
  /** A gap was told to a listener. */
  gap: Gap
}

/**
 * Publishes and listens, over whichever broker the environment chose. `Channels` are the messages that listeners get, `Inputs`
 * those that may be published: they differ where a schema turns one into the other.
 */
export interface Client<Channels extends object = ChannelMap, Inputs extends object = Channels>
  extends AsyncDisposable {
  /**
   * Publishes one message.
   *
   * Resolves `true` once a broker has acknowledged it (not that anyone has processed it), and `false` where it is not known
   * to be accepted within `publishTimeout` — it may still arrive; the cause is logged and on the `error` event.
   * Messages of one client on one channel arrive in the order of the calls.
   *
   * Where the channel has a schema, what it says of the message's JSON is waited for. What is sent is that JSON, and not what
   * the schema makes of it, since listeners ask the schema themselves.
   *
   * With `sql` it resolves `true` once the transaction holds the message, which arrives after the commit and not without it, and
   * takes as long as the transaction's own library does. It never resolves `false`: where the statement fails, which is the end of
   * the transaction, it rejects. Messages of one transaction on one channel arrive in the order of the calls; towards others
   * the order is that of the commits. They have no sequence, so recovery does not send them again.
   *
   * @throws PubSubError `closed`, `invalid_channel`, `invalid_message`, `message_too_large`, `not_permitted`; with `sql` also
   * `not_sent` (its `cause` is the error of the transaction's library), `configuration` (the client does not use PostgreSQL, or `sql` is no
   * transaction), `unavailable` (PostgreSQL has not been reached since the client was created)
   */
  publish<Channel extends keyof Inputs & string>(
    channel: Channel,
    message: Inputs[Channel],
    options?: PublishOptions,
  ): Promise<boolean>

  /**
   * Calls `callback` with each message of `channel`: one at a time and in order, an asynchronous one awaited. Resolves
   * once every configured broker has confirmed the subscription or is known to be down: what is published from then
   * on arrives. With no broker up it waits. A message is parsed once for all listeners of its channel: do not change it.
   * Where the channel has a schema, they get what it makes of the message. What does not fit is counted, logged and
   * reported on the `error` event as `invalid_payload`, and not delivered.
   *
   * @throws PubSubError `closed`, `invalid_channel`, `not_permitted`; the signal's reason when aborted while pending
   */
  listen<Channel extends keyof Channels & string>(
    channel: Channel,
    callback: (message: Channels[Channel]) => unknown,
    options?: ListenOptions,
  ): Promise<Subscription>

  /**
   * The messages of `channel`, pulled. Subscribes at the first `next()`; ends when the loop is left, the signal is
   * aborted or the client is closed. Messages not pulled yet wait in the listener's bounded queue.
   */
  messages<Channel extends keyof Channels & string>(
    channel: Channel,
    options?: MessagesOptions,
  ): AsyncIterableIterator<Channels[Channel]>

  /** How the client is, from real round trips that are given up after 2 s. Never rejects. */
  health(): Promise<Health>

  /**
   * Calls `handler` with each event of that name; the returned function stops it. An `error` that nobody handles is harmless, and a
   * handler that throws or rejects is logged.
   */
  on<Name extends keyof ClientEvents>(name: Name, handler: (event: ClientEvents[Name]) => void): () => void

  /**
   * Stops new work, sends what was accepted, lets running callbacks finish (both for at most `closeTimeout`), and
   * disconnects. Idempotent. Afterwards no handle is left.
   */
  close(): Promise<void>
}
