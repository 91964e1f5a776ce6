import type { MemoryJudgement } from '../judge-memory.js'
import { percent, type Row } from '../table.js'
import type { StreamCounts } from './stream-audit.js'
import type { Troubles } from './stream-troubles.js'

/** What a run has shown. */
export interface StreamEvidence {
  readonly minutes: number
  readonly streams: number
  readonly published: number
  readonly refused: number
  readonly counts: StreamCounts
  readonly troubles: Troubles
  /** Clients that had not heard the last message of each of their channels when the time for it was over. */
  readonly incomplete: number
  /** Streams that were asked for and did not come. */
  readonly refusedStreams: readonly string[]
  /** In the last 64 kB of the api's log. */
  readonly loggedErrors: number
  readonly memory: MemoryJudgement | undefined
}

const maxMemoryGrowth = 0.1
/** Shorter runs are not judged on memory. */
const memoryMinutes = 3
/** Shorter runs need not show every trouble. */
const troubleMinutes = 1

/** The table's lines: each with its limit, and whether that is broken. */
export function streamRows({
  minutes,
  streams,
  published,
  refused,
  counts,
  troubles,
  incomplete,
  refusedStreams,
  loggedErrors,
  memory,
}: StreamEvidence): Row[] {
  const number = (value: number): string => value.toLocaleString('en')
  const counted = (label: string, value: number): Row => ({ label, cells: [number(value)] })
  const none = (label: string, value: number): Row => ({
    ...counted(label, value),
    limit: '0',
    broken: value > 0,
  })
  const some = (label: string, value: number): Row =>
    minutes < troubleMinutes
      ? counted(label, value)
      : { ...counted(label, value), limit: '>= 1', broken: value === 0 }
  const { full, partial, none: not } = counts.resumed
  const megabytes = (pair: readonly [number, number] | undefined): string =>
    pair?.map((bytes) => (bytes / 1_048_576).toFixed(1)).join(' -> ') ?? '-'
  const live = {
    label: 'api: live MB (2)',
    cells: [`${megabytes(memory?.live)}${memory === undefined ? '' : ` ${percent(memory.growth, 0)}`}`],
  }
  return [
    counted('streams', streams),
    counted('published', published),
    none('not accepted', refused),
    { ...counted('delivered', counts.messages), limit: '>= 1', broken: counts.messages === 0 },
    some('came back at once', troubles.returns),
    some('killed', troubles.kills),
    some('stalled', troubles.stalls),
    some('cut as too slow', counts.byes.get('slow') ?? 0),
    some('away for longer than is kept', troubles.absences),
    { label: 'resumed: full, partial, none', cells: [[full, partial, not].map(number).join(', ')] },
    none('not in full, though not away for long', counts.notFull),
    none('streams that did not come', refusedStreams.length),
    none('streams that were not live', counts.notLive),
    none('lost', counts.lost),
    none('doubled', counts.doubled),
    none('ids that did not rise', counts.disordered),
    none('clients that did not hear the last message', incomplete),
    counted('gaps told', counts.gaps),
    counted('missed with a gap told', counts.missedWithGap),
    none('gaps where nothing was missed', counts.groundlessGaps),
    none('gaps told to who was not away for long (1)', counts.needlessGaps),
    none('errors in the log of the api', loggedErrors),
    minutes < memoryMinutes
      ? live
      : {
          ...live,
          limit: `growth <= ${percent(maxMemoryGrowth, 0)}`,
          broken: memory === undefined || memory.growth > maxMemoryGrowth,
        },
    { label: 'api: resident MB', cells: [megabytes(memory?.resident)] },
  ]
}

export const streamNotes = [
  '(1) all but the few that are away until more has come than is kept for who comes back',
  '(2) heap after a collection and external memory, least in half a minute: after the first minute -> at the end',
]
