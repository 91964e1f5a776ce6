import { clock } from './clock.js'
import { gapMark } from './messages.js'

/** What one publisher did on one channel, by sequence. Times are in milliseconds since 1970. */
export interface PublisherRecord {
  /** 1 where the publish resolved `true`, 0 where `false`; nothing where it never settled. */
  readonly accepted: number[]
  readonly started: number[]
  readonly settled: number[]
}

/** What one listener heard, in its order. */
export interface ListenerRecord {
  /** `gapMark`, or a message as {@link heardCode}. */
  readonly heard: number[]
  /** Each gap in `heard`: when the listener had heard anything last, and when the gap was told. */
  readonly gaps: GapRecord[]
}

export interface GapRecord {
  readonly since: number
  readonly told: number
}

export interface ChannelRecord {
  readonly publishers: readonly PublisherRecord[]
  readonly listeners: readonly ListenerRecord[]
}

export interface ChannelJudgement {
  readonly accepted: number
  readonly refused: number
  readonly neverSettled: number
  readonly delivered: number
  /** Accepted messages that a listener missed, a gap told in their place. */
  readonly lostWithGap: number
  /** The same, by publisher. */
  readonly lostWithGapBy: readonly number[]
  /** Accepted messages that a listener missed unawares. */
  readonly lostSilently: number
  readonly doubled: number
  readonly outOfOrder: number
  readonly gaps: number
  /** Gaps told while no listener of the channel missed anything accepted. */
  readonly falseGaps: number
  /** Gaps told to a listener that itself missed nothing accepted there. */
  readonly groundlessGaps: number
  /** What is wrong, in words; the first few of each kind. */
  readonly findings: readonly string[]
  /** The same of what was lost with a gap told. */
  readonly toldFindings: readonly string[]
}

/** One number for a message of one of `publishers` publishers. */
export const heardCode = (publisher: number, sequence: number, publishers: number): number =>
  sequence * publishers + publisher

/** Messages of a publisher that did not come where they should have: from the first to before `to`. */
interface Hole {
  readonly from: number
  readonly to: number
  /** Whether a gap was told between the messages on either side. */
  readonly gapTold: boolean
  /** What came before, and what came instead: indexes into what was heard. */
  readonly after: number
  readonly place: number
}

/** So many of each kind. */
const maxFindings = 3

/** Checks every sequence on one channel. The last message of a publisher must be heard by all, gap or no gap. */
export function judgeChannel({ publishers, listeners }: ChannelRecord): ChannelJudgement {
  const findings: string[] = []
  const toldFindings: string[] = []
  const missedTimes: GapRecord[] = []
  const counts = { delivered: 0, lostSilently: 0, doubled: 0, outOfOrder: 0 }
  const found = { lostSilently: 0, doubled: 0, outOfOrder: 0 }
  const lostWithGapBy = publishers.map(() => 0)
  const find = (count: 'lostSilently' | 'doubled' | 'outOfOrder', times: number, words: string): void => {
    counts[count] += times
    found[count] += 1
    if (found[count] <= maxFindings) findings.push(words)
  }

  const judgeStream = (
    listener: number,
    publisher: number,
    { heard }: ListenerRecord,
    grounded: Set<number>,
  ): void => {
    const record = publishers[publisher]
    if (record === undefined) return
    const who = `listener ${listener}, publisher ${publisher}:`
    const seen = new Uint8Array(record.accepted.length)
    const holes: Hole[] = []
    let newest = -1
    let after = -1
    let gapTold = false
    for (const [place, code] of heard.entries()) {
      if (code === gapMark) gapTold = true
      if (code === gapMark || code % publishers.length !== publisher) continue
      const sequence = (code - publisher) / publishers.length
      counts.delivered += 1
      if (seen[sequence] === 1) {
        find('doubled', 1, `${who} ${sequence} came twice`)
        continue
      }
      seen[sequence] = 1
      if (sequence < newest) {
        find('outOfOrder', 1, `${who} ${sequence} came after ${newest}`)
        continue
      }
      if (sequence > newest + 1) holes.push({ from: newest + 1, to: sequence, gapTold, after, place })
      newest = sequence
      after = place
      gapTold = false
    }
    const last = record.accepted.length - 1
    // The last message is sent in calm: no gap explains that it is missing.
    if (newest < last - 1) holes.push({ from: newest + 1, to: last, gapTold, after, place: heard.length })
    if (newest < last) holes.push({ from: last, to: last + 1, gapTold: false, after, place: heard.length })

    for (const hole of holes) {
      let missed = 0
      let missedFrom = 0
      for (let sequence = hole.from; sequence < hole.to; sequence += 1) {
        // What came late is out of order, and not lost.
        if (seen[sequence] === 1 || record.accepted[sequence] !== 1) continue
        if (missed === 0) missedFrom = record.started[sequence] ?? 0
        missed += 1
        missedTimes.push({ since: record.started[sequence] ?? 0, told: record.settled[sequence] ?? 0 })
      }
      if (missed === 0) continue
      for (const gap of gapPlaces(heard, hole)) grounded.add(gap)
      const words = `${who} ${describeHole(hole, missed, missedFrom, heard)}`
      if (!hole.gapTold) find('lostSilently', missed, words)
      else {
        lostWithGapBy[publisher] = (lostWithGapBy[publisher] ?? 0) + missed
        if (toldFindings.length < maxFindings) toldFindings.push(words)
      }
    }
  }

  let groundlessGaps = 0
  for (const [listener, record] of listeners.entries()) {
    const grounded = new Set<number>()
    for (const publisher of publishers.keys()) judgeStream(listener, publisher, record, grounded)
    groundlessGaps += record.gaps.length - grounded.size
  }
  const gaps = listeners.flatMap((listener) => listener.gaps)
  const isFalse = ({ since, told }: GapRecord): boolean =>
    !missedTimes.some((missed) => missed.since <= told && missed.told >= since)
  const outcomes = (outcome: number): number =>
    publishers.reduce((sum, { accepted }) => sum + accepted.filter((one) => one === outcome).length, 0)
  const accepted = outcomes(1)
  const refused = outcomes(0)
  const published = publishers.reduce((sum, record) => sum + record.accepted.length, 0)
  return {
    ...counts,
    lostWithGap: lostWithGapBy.reduce((sum, count) => sum + count, 0),
    lostWithGapBy,
    accepted,
    refused,
    neverSettled: published - accepted - refused,
    gaps: gaps.length,
    falseGaps: gaps.filter(isFalse).length,
    groundlessGaps,
    findings,
    toldFindings,
  }
}

const gapPlaces = (heard: readonly number[], { after, place }: Hole): number[] =>
  heard.slice(after + 1, place).flatMap((code, index) => (code === gapMark ? [after + 1 + index] : []))

function describeHole(
  { from, to, place, gapTold }: Hole,
  missed: number,
  missedFrom: number,
  heard: readonly number[],
): string {
  const what = `of ${from} to ${to - 1}, ${missed} were accepted and did not come, from ${clock(missedFrom)} on;`
  if (gapTold) return `${what} a gap was told`
  if (place === heard.length) return `${what} nothing came after them`
  const next = heard.indexOf(gapMark, place)
  return next < 0
    ? `${what} no gap was told later either`
    : `${what} a gap was told ${next - place} messages too late`
}
