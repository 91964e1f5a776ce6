import { judgeDelivery } from './judge-delivery.js'
import { type Lane, sequenceOf } from './lane.js'
import type { Heard } from './watched-client.js'

/** A listener, and what it has a right to. */
export interface Witness {
  /** Who it is, for messages. */
  readonly what: string
  readonly heard: Heard
  readonly lane: Lane
  /** How many gaps it is to be told. */
  readonly gaps: GapRange
  /** The first message that was published after it had begun to listen. */
  readonly owedFrom: number
}

export interface GapRange {
  readonly atLeast: number
  readonly atMost: number
}

/** Throws what a listener has to complain of. Returns how many messages it was told to have missed. */
export function judgeWitness({ what, heard, lane, gaps, owedFrom }: Witness): number {
  const delivery = heard.events.map((event) => ('gap' in event ? 'gap' : (sequenceOf(event.message) ?? -1)))
  const owed = Array.from(lane.accepted).filter((sequence) => sequence >= owedFrom)
  const verdict = judgeDelivery(delivery, owed)
  const complaints = (['lostSilently', 'doubled', 'outOfOrder'] as const).flatMap((fault) =>
    verdict[fault].length === 0
      ? []
      : [`${fault}: ${verdict[fault].length} (${verdict[fault].slice(0, 5).join(', ')} …)`],
  )
  const told = heard.gaps.length
  const { atLeast, atMost } = gaps
  if (told < atLeast || told > atMost)
    complaints.push(
      `gaps told: ${told}, expected ${atLeast === atMost ? atLeast : `${atLeast} to ${atMost}`}`,
    )
  if (complaints.length > 0)
    throw new Error(`${what} of ${lane.accepted.size} accepted messages: ${complaints.join('; ')}`)
  return verdict.lostWithGap.length
}
