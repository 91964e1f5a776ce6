/** What travels on each channel. */
export type Channels = Readonly<Record<string, unknown>>

/** One message, with its channel. */
export type Message<Of extends Channels = Channels> = {
  readonly [Channel in keyof Of & string]: {
    readonly channel: Channel
    readonly message: Of[Channel]
    /** Its place, `<epoch>.<sequence>`: a connection that begins with it as `lastEventId` goes on behind this message. */
    readonly id: string | undefined
  }
}[keyof Of & string]

/** Messages may be missing on a channel, before what is delivered next: fetch anew what was made of them. */
export interface Gap {
  /** Which channel. */
  readonly channel: string
  /** In words. */
  readonly reason: string
  /** How many, where that is known. */
  readonly missed?: number
}

/** Where a connection is: what a page shows of it. */
export type ConnectionState =
  /** The first attempt, or one with other channels after a refusal. */
  | { readonly kind: 'connecting' }
  /**
   * `since` is a time in milliseconds; `confirmed` is false while no broker has confirmed all channels. `resumed` is what the server
   * said of what was missed before this stream: `full`, all of it follows; `partial` or `none`, a gap follows on the other
   * channels; `none` too where there was nothing to be missed. `stream` is the server's name for it.
   */
  | {
      readonly kind: 'live'
      readonly since: number
      readonly confirmed: boolean
      readonly channels: readonly string[]
      readonly resumed: 'full' | 'partial' | 'none'
      readonly stream: string | undefined
    }
  /** It will be tried again at `retryAt`, in milliseconds. `status` is that of the last answer, where there was one other than 200. */
  | {
      readonly kind: 'reconnecting'
      readonly since: number
      readonly retryAt: number
      readonly reason: string
      readonly status?: number
    }
  /** It is not tried again until `setChannels` or `reconnect` is called. Where other channels were refused, those of before go on. */
  | { readonly kind: 'refused'; readonly reason: string; readonly status?: number }
  | { readonly kind: 'closed' }

/** What to listen to, who asks, and who is told. */
export interface ConnectOptions<Of extends Channels = Channels> {
  /** 1 to 64 channels. */
  readonly channels: readonly (keyof Of & string)[]
  /**
   * Sent as `Authorization: Bearer …`, never in the address. A function is called before each attempt, so that one that is
   * about to expire can be replaced. Without it the page's cookie counts, where the server is its own.
   */
  readonly token?: string | (() => string | Promise<string>)
  /** Instead of a token: gives a ticket, good for 30 s, that the page's own server had from `POST /v1/tickets`. Called before each attempt. */
  readonly ticket?: () => string | Promise<string>
  /** What asks the server, and gives its answer. Default: `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Go on behind this id. Without it the connection begins with what is published from now on. */
  readonly lastEventId?: string
  /** Each once, in the order of its channel. What it throws is reported as an uncaught error, and the next one comes all the same. */
  readonly onMessage: (message: Message<Of>) => void
  /** In its place between the messages. Without it gaps pass unnoticed. */
  readonly onGap?: (gap: Gap) => void
  /** Called at every change; the first is that to `live`, or why not. */
  readonly onState?: (state: ConnectionState) => void
}

/** One stream for all channels, which is opened again for ever. */
export interface Connection<Of extends Channels = Channels> {
  /** As it was told last. */
  readonly state: ConnectionState
  /** Everything before this place has been delivered; undefined before the first stream is live. */
  readonly lastEventId: string | undefined
  /**
   * Listens to these channels, 1 to 64, from now on. What both lists have goes on without a hole; a new channel begins as soon
   * as `state` names it.
   */
  setChannels(channels: readonly (keyof Of & string)[]): void
  /**
   * Tries at once, with the channels that were given last: after a refusal, say, because there is a new session now. The stream
   * that is live goes on until the new one is.
   */
  reconnect(): void
  /** Ends it for good. Idempotent. */
  close(): void
}
