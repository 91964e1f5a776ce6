import { connect, type ConnectionState } from '@ps/browser'
import { type AuditCounts, createAudit } from './audit.js'
import { createStallingFetch } from './stalling-fetch.js'

export interface AuditRunOptions {
  /** The stream of events. */
  readonly address: string
  /** A channel of this run alone. */
  readonly channel: string
  /** Rejects where the message is not known to be accepted. */
  readonly publish: (channel: string, json: string) => Promise<void>
  readonly onHeard: () => void
  readonly onState: (state: ConnectionState) => void
}

export interface AuditState extends AuditCounts {
  /** Not known to be accepted: these may arrive or not. */
  readonly unknown: number
  /** Gaps that were told. */
  readonly gaps: number
  /** How often the stream came back, and how much of what it missed was sent again. */
  readonly resumed: Readonly<Record<'full' | 'partial' | 'none', number>>
}

/** Numbered messages that a page publishes through the api, and hears from it. */
export interface AuditRun {
  state(): AuditState
  /** The page reads nothing, and what is published is long, until {@link release} is called. */
  stall(): void
  release(): void
  /** Publishes no more; resolves when all that was accepted has been heard, or is lost. */
  finish(): Promise<void>
  close(): void
}

const interval = 50
/** How long to wait after a message that was not accepted, in milliseconds. */
const pauseAfterFailure = 500
/** While the page does not read: several megabytes a second, so that the buffers on the way are full soon. */
const longText = 'x'.repeat(250_000)
/** The server keeps 16 MiB of a channel for those who come back. */
const maxLongMessages = 48

export function startAuditRun({ address, channel, publish, onHeard, onState }: AuditRunOptions): AuditRun {
  const audit = createAudit()
  const stalling = createStallingFetch()
  const resumed = { full: 0, partial: 0, none: 0 }
  let number = 0
  let unknown = 0
  let gaps = 0
  let longMessages = 0
  let isStalled = false
  let isPublishing = true
  let hasBegun = false
  let liveSince: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const tellListening = (): void => audit.listening(isStalled ? undefined : liveSince)

  const next = async (): Promise<void> => {
    number += 1
    const mine = number
    const isLong = isStalled && longMessages < maxLongMessages
    if (isLong) longMessages += 1
    let pause = interval
    try {
      await publish(channel, JSON.stringify({ number: mine, ...(isLong && { text: longText }) }))
      audit.accept(mine, Date.now())
    } catch {
      unknown += 1
      pause = pauseAfterFailure
    }
    if (isPublishing) timer = setTimeout(() => void next(), pause)
  }

  const connection = connect(address, {
    channels: [channel],
    fetch: stalling.fetch,
    onMessage({ message }) {
      onHeard()
      if (typeof message === 'object' && message !== null && 'number' in message)
        audit.hear(Number(message.number))
    },
    onGap: () => {
      gaps += 1
    },
    onState(state) {
      const isLive = state.kind === 'live'
      liveSince = isLive ? Date.now() : undefined
      tellListening()
      if (isLive && hasBegun) resumed[state.resumed] += 1
      // What is published before the first stream is live is nothing that it must hear.
      if (isLive && !hasBegun) void next()
      hasBegun ||= isLive
      onState(state)
    },
  })

  return {
    state: () => ({ ...audit.counts(Date.now()), unknown, gaps, resumed: { ...resumed } }),
    stall() {
      isStalled = true
      longMessages = 0
      tellListening()
      stalling.stall()
    },
    release() {
      isStalled = false
      if (liveSince !== undefined) liveSince = Date.now()
      tellListening()
      stalling.release()
    },
    async finish() {
      isPublishing = false
      clearTimeout(timer)
      while (audit.counts(Date.now()).onTheWay > 0 && connection.state.kind !== 'closed')
        await new Promise((resolve) => setTimeout(resolve, 100))
    },
    close() {
      isPublishing = false
      clearTimeout(timer)
      stalling.release()
      connection.close()
    },
  }
}
