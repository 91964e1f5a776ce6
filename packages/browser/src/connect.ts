import type { Channels, ConnectOptions, Connection, ConnectionState, Message } from './connection.js'
import type { ServerSentEvent } from './event-parser.js'
import { createProgress } from './progress.js'
import { retryDelay } from './retry-delay.js'
import { openStream, parsed, type Stream, type StreamEnd, textMember } from './stream.js'

/** Several changes of the channels at once open one stream. */
const changeDelay = 100
const silenceInterval = 5_000
/** What a stream begins with. */
interface Hello {
  readonly head?: string
  readonly live?: boolean
  readonly unconfirmed?: readonly string[]
  readonly resumed?: 'full' | 'partial' | 'none'
  readonly stream?: string
}

/** A stream that the server renews is away for a moment, of which nobody needs to know. */
const renewTime = 2_000
/** As many as the server takes. */
const maxChannels = 64
/** The longest that a timer can wait, in milliseconds; it fires at once where it is asked for more. */
const longestTimer = 2 ** 31 - 1

/**
 * Listens to channels over the stream of events at `address`, such as `/v1/events` or `https://api.example/v1/events`, and
 * comes back by itself, behind the last event, after whatever ends it.
 *
 * @throws RangeError where there are no channels, or more than 64.
 */
export function connect<Of extends Channels = Channels>(
  address: string | URL,
  options: ConnectOptions<Of>,
): Connection<Of> {
  const { token, ticket, fetch = globalThis.fetch, onMessage, onGap, onState } = options
  const canRenew = typeof token === 'function' || ticket !== undefined
  let wanted = checked(options.channels)
  // Those that are asked for: where others are refused, the ones that are heard.
  let channels = wanted
  let heard = wanted
  // An empty one is none, as it is for the server.
  const progress = createProgress(options.lastEventId || undefined, channels)
  let state: ConnectionState = { kind: 'connecting' }
  let current: Stream | undefined
  let candidate: Stream | undefined
  let attempt = 0
  let lostAt: number | undefined
  let liveSince = 0
  let begunAt = 0
  let unconfirmed = new Set<string>()
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let renewTimer: ReturnType<typeof setTimeout> | undefined

  const setState = (next: ConnectionState): void => {
    clearTimeout(renewTimer)
    state = next
    guarded(() => onState?.(next))
  }

  const prepare = async (
    listed: readonly string[],
    asked: string | undefined,
  ): Promise<(signal: AbortSignal) => Promise<Response>> => {
    const query = new URLSearchParams(listed.map((channel) => ['channel', channel]))
    const headers: Record<string, string> = { accept: 'text/event-stream' }
    if (token !== undefined)
      headers['authorization'] = `Bearer ${typeof token === 'string' ? token : await token()}`
    if (ticket !== undefined) query.set('ticket', await ticket())
    if (asked !== undefined) query.set('last_event_id', asked)
    const base = String(address)
    const whole = `${base}${base.includes('?') ? '&' : '?'}${query.toString()}`
    return (signal) => fetch(whole, { headers, signal, cache: 'no-store' })
  }

  const open = (): void => {
    clearTimeout(retryTimer)
    retryTimer = undefined
    if (isClosed()) return
    candidate?.close()
    const listed = channels
    const asked = progress.lastEventId
    const stream = openStream({
      prepare: () => prepare(listed, asked),
      canRenew,
      onEvent(event) {
        if (stream === candidate && event.event === 'ps.hello')
          becomeLive(stream, listed, asked, parsed(event.data) as Hello | undefined)
        else if (stream === current) deliver(event)
      },
      onEnd(end) {
        const wasLive = stream === current
        if (wasLive) current = undefined
        else if (stream === candidate) candidate = undefined
        else return
        if (end.next === 'never' && current !== undefined && listed === channels) channels = heard
        goOn(end, wasLive && Date.now() - begunAt > renewTime)
      },
    })
    candidate = stream
  }

  const becomeLive = (
    stream: Stream,
    live: readonly string[],
    asked: string | undefined,
    hello: Hello | undefined,
  ): void => {
    if (current === undefined && lostAt !== undefined) liveSince = 0
    current?.close()
    current = stream
    candidate = undefined
    lostAt = undefined
    attempt = 0
    begunAt = Date.now()
    liveSince ||= begunAt
    heard = live
    progress.begin(live, asked, hello?.head)
    unconfirmed = new Set(hello?.unconfirmed ?? (hello?.live === false ? live : []))
    const confirmed = unconfirmed.size === 0
    const { resumed = 'none', stream: name } = hello ?? {}
    setState({ kind: 'live', since: liveSince, confirmed, channels: live, resumed, stream: name })
  }

  /** A channel that the brokers had not confirmed at the start says by a gap that they have. */
  const confirm = (channel: string): void => {
    if (!unconfirmed.delete(channel) || unconfirmed.size > 0 || state.kind !== 'live') return
    setState({ ...state, confirmed: true })
  }

  const deliver = ({ event, data, id }: ServerSentEvent): void => {
    const isGap = event === 'ps.gap'
    if (!isGap && event !== 'message') return
    const content = parsed(data)
    const channel = textMember(content, 'channel')
    if (channel === undefined) return
    if (progress.take(channel, id, isGap)) {
      const { message, missed } = content as { message?: unknown; missed?: unknown }
      // What it is, the types that were given say; the server passes on what it hears.
      if (!isGap) return guarded(() => onMessage({ channel, message, id } as Message<Of>))
      const reason = textMember(content, 'reason') ?? 'the server does not say why'
      guarded(() => onGap?.({ channel, reason, ...(typeof missed === 'number' && { missed }) }))
    }
    if (isGap) confirm(channel)
  }

  /** A stream has ended: what comes next. The page is told last, since it may close the connection then. */
  const goOn = ({ reason, next, comeBackAfter, status }: StreamEnd, hasLived: boolean): void => {
    const why = { reason, ...(status !== undefined && { status }) }
    if (next === 'never') return setState({ kind: 'refused', ...why })
    const isRenewed = hasLived && next === 'now'
    let delay = 0
    if (candidate === undefined && isRenewed) open()
    else if (candidate === undefined) {
      delay = Math.min(Math.max(retryDelay(attempt++), comeBackAfter), longestTimer)
      clearTimeout(retryTimer)
      retryTimer = setTimeout(open, delay)
    }
    const retryAt = Date.now() + delay
    const tellAway = (): void => {
      lostAt ??= Date.now()
      setState({ kind: 'reconnecting', since: lostAt, retryAt, ...why })
    }
    if (isRenewed) renewTimer = setTimeout(tellAway, renewTime)
    else if (current === undefined) tellAway()
  }

  const dropWhereSilent = (): void => {
    current?.closeWhereSilent()
    candidate?.closeWhereSilent()
  }

  /** The page is looked at again, or the network is back: timers may have slept with it. */
  const wake = (): void => {
    dropWhereSilent()
    if (retryTimer !== undefined && !globalThis.document?.hidden) open()
  }

  const silenceTimer = setInterval(dropWhereSilent, silenceInterval)
  // Neither is there everywhere: workers have no document.
  globalThis.addEventListener?.('online', wake)
  globalThis.document?.addEventListener('visibilitychange', wake)

  /** What was refused or failed before says nothing of the next attempt. */
  const beginAnew = (): void => {
    channels = wanted
    attempt = 0
    if (current === undefined && state.kind === 'refused') setState({ kind: 'connecting' })
  }

  const isClosed = (): boolean => state.kind === 'closed'
  open()

  return {
    get state() {
      return state
    },
    get lastEventId() {
      return progress.lastEventId
    },
    setChannels(given) {
      const next = checked(given)
      const isSame = next.length === channels.length && next.every((channel) => channels.includes(channel))
      wanted = next
      if (isClosed() || (isSame && state.kind !== 'refused')) return
      beginAnew()
      clearTimeout(retryTimer)
      retryTimer = setTimeout(open, changeDelay)
    },
    reconnect() {
      if (isClosed()) return
      beginAnew()
      open()
    },
    close() {
      if (isClosed()) return
      clearTimeout(retryTimer)
      clearInterval(silenceTimer)
      globalThis.removeEventListener?.('online', wake)
      globalThis.document?.removeEventListener('visibilitychange', wake)
      candidate?.close()
      current?.close()
      setState({ kind: 'closed' })
    },
  }
}

function checked(channels: readonly string[]): readonly string[] {
  const all = [...new Set(channels)]
  if (all.length === 0 || all.length > maxChannels)
    throw new RangeError(`one connection takes 1 to ${maxChannels} channels, not ${all.length}`)
  return all
}

/** An error of the page is the page's: it is reported as uncaught, and the stream goes on. */
function guarded(call: () => void): void {
  try {
    call()
  } catch (error) {
    setTimeout(() => {
      throw error
    })
  }
}
