import type { Audience } from './audiences.js'
import { eventFrame, gapFrame } from './event-frame.js'
import type { History } from './history.js'

/** What is sent again: all that the client has missed, that of some of its channels, or nothing. */
export type Resumed = 'full' | 'partial' | 'none'

export interface Resumption {
  readonly resumed: Resumed
  /** Where the stream begins. */
  readonly cursor: number
  /** The frames with which it begins. */
  readonly opening: Buffer
}

export interface ResumptionOptions {
  readonly history: History
  readonly audience: Audience
  /** The stream's. */
  readonly id: string
  /** In the order in which the client named them. */
  readonly channels: readonly string[]
  /** The last id that the client has seen. */
  readonly lastId: string | undefined
  /** The channels of which it is not certain that what is published from now on arrives. They tell a gap when it is. */
  readonly unconfirmed: readonly string[]
}

/**
 * Where a stream begins whose client has seen `lastId`, and what it is told of it. An id that is unknown is no error:
 * `EventSource` would never come back.
 */
export function resume({
  history,
  audience,
  id: stream,
  channels,
  lastId,
  unconfirmed,
}: ResumptionOptions): Resumption {
  const { head } = history
  const known = lastId === undefined ? undefined : history.cursorOf(lastId)
  const missing = known === undefined ? channels : audience.missing(known)
  const resumed = missing.length === 0 ? 'full' : missing.length < channels.length ? 'partial' : 'none'
  const cursor = known ?? head
  const headId = history.idOf(head)
  // The id of a frame says that everything before it has arrived. So the client keeps its own where something is sent again,
  // and an unknown one until it has been told of every gap.
  const id = lastId === undefined ? headId : undefined
  const live = unconfirmed.length === 0
  const hello = { stream, channels, live, ...(!live && { unconfirmed }), resumed, head: headId }
  const frames = [eventFrame(hello, { id, event: 'ps.hello' })]
  if (lastId !== undefined && known === undefined) {
    const why = 'the last id is not of this server, or of the time before it was started again'
    const told = channels.filter((channel) => !unconfirmed.includes(channel))
    for (const channel of told)
      frames.push(gapFrame(channel, why, channel === told.at(-1) ? headId : undefined))
  }
  return { resumed, cursor, opening: Buffer.concat(frames) }
}
