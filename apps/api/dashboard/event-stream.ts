import { openConnection, parsed, type Connection } from './event-connection.js'
import type { ServerSentEvent } from './event-parser.js'
import { streamRetryDelay } from './stream-retry-delay.js'

export type StreamState =
  | { readonly kind: 'connecting' }
  /** `confirmed` is false while no broker has confirmed all channels. */
  | { readonly kind: 'live'; readonly since: number; readonly confirmed: boolean }
  | {
      readonly kind: 'reconnecting'
      readonly since: number
      readonly retryAt: number
      readonly reason: string
    }

export interface EventStreamOptions {
  /** Opens the stream; the answer's status is this module's to judge. */
  readonly open: (channels: readonly string[], signal: AbortSignal) => Promise<Response>
  readonly onMessage: (channel: string, message: unknown) => void
  /** The server says that something may be missing on a channel. */
  readonly onGap: (channel: string, reason: string, missed: number | undefined) => void
  /** Everything on `channels` arrives from now on: for the first time, after a loss, or after a change without a loss. */
  readonly onLive: (how: 'first' | 'again' | 'changed', channels: readonly string[]) => void
  /** The server will not have these channels; it says why. */
  readonly onRefused: (channels: readonly string[], reason: string) => void
  readonly onState: (state: StreamState) => void
}

export interface EventStream {
  /** Opens a stream of these channels; the one before goes on until the new one is live, so that nothing is missed in between. */
  setChannels(channels: readonly string[]): void
  /** Tries at once where it waits to try again, and looks whether the stream is still alive. */
  wake(): void
}

/** Several changes of the channels at once open one stream. */
const changeDelay = 100

/** One stream of server-sent events for all channels, which reconnects for ever. */
export function createEventStream({
  open,
  onMessage,
  onGap,
  onLive,
  onRefused,
  onState,
}: EventStreamOptions): EventStream {
  let channels: readonly string[] = []
  let current: Connection | undefined
  let candidate: Connection | undefined
  let everLive = false
  let lostAt: number | undefined
  let attempt = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let liveSince = 0
  let unconfirmed = new Set<string>()

  const connectIn = (delay: number): void => {
    clearTimeout(timer)
    timer = setTimeout(connect, delay)
  }

  const connect = (): void => {
    clearTimeout(timer)
    timer = undefined
    candidate?.close()
    const wanted = channels
    const connection = openConnection({
      open: (signal) => open(wanted, signal),
      onEvent: (event) => {
        if (event.event === 'ps.hello' && connection === candidate) becomeLive(connection, wanted, event.data)
        if (connection === current) deliver(event)
      },
      onRefused: (reason) => {
        if (connection === candidate || connection === current) onRefused(wanted, reason)
      },
      onEnd: (reason, comeBackAfter) => {
        if (connection === current) current = undefined
        else if (connection === candidate) candidate = undefined
        else return
        retry(reason, comeBackAfter)
      },
    })
    candidate = connection
  }

  const becomeLive = (connection: Connection, live: readonly string[], hello: string): void => {
    const how = current === undefined ? (everLive ? 'again' : 'first') : 'changed'
    current?.close()
    current = connection
    candidate = undefined
    everLive = true
    lostAt = undefined
    attempt = 0
    if (how !== 'changed') liveSince = Date.now()
    const content = parsed(hello)
    const isConfirmed = !(
      typeof content === 'object' &&
      content !== null &&
      'live' in content &&
      content.live === false
    )
    unconfirmed = new Set(isConfirmed ? [] : live)
    onState({ kind: 'live', since: liveSince, confirmed: isConfirmed })
    onLive(how, live)
  }

  /** A channel that was not confirmed at the start is, as soon as a gap is told on it. */
  const confirm = (channel: string): void => {
    if (!unconfirmed.delete(channel) || unconfirmed.size > 0) return
    onState({ kind: 'live', since: liveSince, confirmed: true })
  }

  const retry = (reason: string, comeBackAfter: number): void => {
    const delay = Math.max(streamRetryDelay(attempt), comeBackAfter)
    attempt += 1
    if (current === undefined) {
      lostAt ??= Date.now()
      onState({ kind: 'reconnecting', since: lostAt, retryAt: Date.now() + delay, reason })
    }
    if (candidate === undefined) connectIn(delay)
  }

  const deliver = ({ event, data }: ServerSentEvent): void => {
    const content = parsed(data)
    if (typeof content !== 'object' || content === null) return
    const channel = 'channel' in content ? String(content.channel) : ''
    if (event === 'message') {
      onMessage(channel, 'message' in content ? content.message : undefined)
    } else if (event === 'ps.gap') {
      const missed = 'missed' in content && typeof content.missed === 'number' ? content.missed : undefined
      confirm(channel)
      onGap(channel, 'reason' in content ? String(content.reason) : 'the server does not say why', missed)
    }
  }

  const dropWhereSilent = (): void => {
    current?.closeWhereSilent()
    candidate?.closeWhereSilent()
  }

  onState({ kind: 'connecting' })
  setInterval(dropWhereSilent, 5_000)

  return {
    setChannels(next) {
      if (next.length === channels.length && next.every((channel) => channels.includes(channel))) return
      channels = next
      attempt = 0
      connectIn(changeDelay)
    },
    wake() {
      dropWhereSilent()
      if (timer !== undefined) connect()
    },
  }
}
