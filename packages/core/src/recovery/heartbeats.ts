import type { Heartbeat, Position, Question } from './control-message.js'
import type { Outgoing, OutgoingChannel } from './outgoing.js'

/** How often a client that publishes says how far it is, in milliseconds. */
const heartbeatMilliseconds = 500
/** The most channels in one heartbeat. */
const maxPositions = 500

/** Says how far this client's publishing is: while there is something to confirm, once more when there is not, and when asked. */
export interface Heartbeats {
  /** The next message of the channel is decided. */
  decided(channel: OutgoingChannel): void
  /** Somebody wants to know. */
  answer(question: Question): void
  /** The last words, where anything was ever published. */
  close(): void
}

export function createHeartbeats(outgoing: Outgoing, send: (heartbeat: Heartbeat) => void): Heartbeats {
  const { publisher } = outgoing
  // What has been decided since the last heartbeat, and since there was nothing to confirm.
  let changed = new Set<OutgoingChannel>()
  let unconfirmed = new Set<OutgoingChannel>()
  let timer: NodeJS.Timeout | undefined
  let hasPublished = false

  const tell = (
    state: Heartbeat['state'],
    channels: Iterable<OutgoingChannel>,
    rest?: Partial<Heartbeat>,
  ): void => {
    const last = Array.from(channels, ({ name, decided }): Position => [name, decided])
    // The state belongs to what was said last.
    for (let start = 0; start < last.length || start === 0; start += maxPositions) {
      const isLast = start + maxPositions >= last.length
      const part = last.slice(start, start + maxPositions)
      send({ kind: 'heartbeat', publisher, state: isLast ? state : 'busy', last: part, ...rest })
    }
  }

  const beat = (): void => {
    if (changed.size > 0) {
      tell('busy', changed)
      changed = new Set()
      return
    }
    tell('idle', unconfirmed)
    unconfirmed = new Set()
    clearInterval(timer)
    timer = undefined
  }

  return {
    decided(channel) {
      changed.add(channel)
      unconfirmed.add(channel)
      if (timer !== undefined) return
      hasPublished = true
      timer = setInterval(beat, heartbeatMilliseconds)
      timer.unref()
    },
    answer({ from, channels }) {
      const now = Date.now()
      const known: OutgoingChannel[] = []
      const since: Position[] = []
      for (const [name, age] of channels) {
        const channel = outgoing.get(name)
        if (channel === undefined) continue
        known.push(channel)
        if (channel.began >= now - age) since.push([name, channel.start])
      }
      if (known.length > 0) tell(timer === undefined ? 'idle' : 'busy', known, { to: from, since })
    },
    close() {
      clearInterval(timer)
      timer = undefined
      if (hasPublished) tell('closed', unconfirmed)
    },
  }
}
