import { type Heartbeat, inPieces, type Progress, type Question } from './control-message.js'
import type { Outgoing, OutgoingChannel } from './outgoing.js'

/** How often a client that publishes says how far it is, in milliseconds. */
const heartbeatMilliseconds = 500
/** Questions to everybody are answered at once, and not more often than so, in milliseconds. */
const answerMilliseconds = 100
/** The most channels of which is remembered that their last heartbeat is not confirmed, or was not brought by every broker. */
const maxRemembered = 10_000

/** Says how far this client's publishing is: while there is something to confirm, once more when there is not, and when asked. */
export interface Heartbeats {
  /** The next message of the channel is decided. */
  decided(channel: OutgoingChannel): void
  /** Somebody wants to know. */
  answer(question: Question): void
  /** A broker is up again: says over it what was said without it. */
  repeat(): void
  /** The last words, where anything was ever published. */
  close(): void
}

/** `send` resolves with whether every broker has taken it. */
export function createHeartbeats(
  outgoing: Outgoing,
  send: (heartbeat: Heartbeat) => Promise<boolean>,
): Heartbeats {
  const { publisher } = outgoing
  // What has been decided since the last heartbeat, and since there was nothing to confirm.
  let changed = new Set<OutgoingChannel>()
  // The one that is noted already: most messages are of the same channel as the last.
  let latest: OutgoingChannel | undefined
  const unconfirmed = new Set<OutgoingChannel>()
  let timer: NodeJS.Timeout | undefined
  // What everybody was asked for, and is told together.
  let wanted = new Set<OutgoingChannel>()
  let answering: NodeJS.Timeout | undefined
  let hasPublished = false
  // Whose last heartbeat not every broker has brought.
  let unheard = new Set<OutgoingChannel>()
  let isClosed = false

  /** The latest of them: who publishes on ever new channels would remember all of them else. */
  const remember = (channels: Iterable<OutgoingChannel>, among: Set<OutgoingChannel>): void => {
    for (const channel of channels) {
      among.delete(channel)
      among.add(channel)
    }
    for (const oldest of among) {
      if (among.size <= maxRemembered) break
      among.delete(oldest)
    }
  }

  const tell = (state: Heartbeat['state'], channels: Iterable<OutgoingChannel>): void => {
    const pieces = inPieces([...channels])
    const last = pieces.pop() ?? []
    for (const piece of pieces) void tellPart('busy', piece)
    // The state belongs to what was said last.
    void tellPart(state, last)
  }

  const tellPart = async (state: Heartbeat['state'], channels: readonly OutgoingChannel[]): Promise<void> => {
    const now = performance.now()
    const since = (time: number): number => Math.round(now - time)
    const progress = channels.map(
      ({ name, decided, last, start, began, used }): Progress => [
        name,
        decided,
        last,
        start,
        since(began),
        since(used),
      ],
    )
    if (await send({ kind: 'heartbeat', publisher, state, progress })) return
    remember(channels, unheard)
  }

  const beat = (): void => {
    latest = undefined
    if (changed.size > 0) {
      tell('busy', changed)
      remember(changed, unconfirmed)
      changed = new Set()
      return
    }
    tell('idle', unconfirmed)
    unconfirmed.clear()
    clearInterval(timer)
    timer = undefined
  }

  const state = (): Heartbeat['state'] => {
    if (isClosed) return 'closed'
    return timer === undefined ? 'idle' : 'busy'
  }

  /** One answer for all who ask within a moment: after an interruption that is everybody. */
  const answerAll = (): void => {
    answering = undefined
    if (wanted.size === 0) return
    tell(state(), wanted)
    wanted = new Set()
    answering = setTimeout(answerAll, answerMilliseconds)
    answering.unref()
  }

  return {
    decided(channel) {
      if (channel === latest) return
      latest = channel
      changed.add(channel)
      if (timer !== undefined) return
      hasPublished = true
      timer = setInterval(beat, heartbeatMilliseconds)
      timer.unref()
    },
    answer({ publisher: asked, channels }) {
      const known = channels.flatMap((name) => outgoing.get(name) ?? [])
      if (known.length === 0) return
      if (asked !== undefined) return tell(state(), known)
      for (const channel of known) wanted.add(channel)
      answering ??= setTimeout(answerAll, 0)
    },
    repeat() {
      if (unheard.size === 0) return
      const again = unheard
      unheard = new Set()
      tell(state(), again)
    },
    close() {
      clearTimeout(answering)
      clearInterval(timer)
      timer = undefined
      isClosed = true
      if (hasPublished) tell('closed', new Set([...unconfirmed, ...changed]))
    },
  }
}
