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
  /** Whether what is published from now on arrives. */
  readonly live: boolean
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
  live,
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
  const frames = [eventFrame({ stream, channels, live, resumed, head: headId }, { id, event: 'ps.hello' })]
  if (lastId !== undefined && known === undefined) {
    const why = 'the last id is not of this server, or of the time before it was started again'
    for (const [index, channel] of channels.entries())
      frames.push(gapFrame(channel, why, index === channels.length - 1 ? headId : undefined))
  }
  return { resumed, cursor, opening: Buffer.concat(frames) }
}
