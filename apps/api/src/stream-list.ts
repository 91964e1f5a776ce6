import type { Arrivals } from './arrivals.js'
import type { ChannelRing, Survey } from './history.js'
import type { OpenStream, OpenStreams } from './open-streams.js'
import type { ListedStream, StreamOverview } from './stream-overview.js'

/** How many streams are listed. */
const maxListed = 100
/** How many channels of each are named. */
const maxNamed = 5

/** Where all streams are, looked at when somebody asks: a stream does nothing for it but count. */
export interface StreamList {
  overview(): StreamOverview
}

export interface StreamListOptions {
  readonly streams: Pick<OpenStreams, 'list' | 'count'>
  readonly arrivals: Pick<Arrivals, 'age'>
  readonly deliveredFrames: () => number
}

interface Standing {
  readonly open: OpenStream
  readonly waitingFrames: number
  readonly waitingBytes: number
  readonly lagMs: number
}

export function createStreamList({ streams, arrivals, deliveredFrames }: StreamListOptions): StreamList {
  const standingOf = (open: OpenStream, surveyOf: (ring: ChannelRing) => Survey): Standing => {
    const { given, taken, untakenBytes } = open.stream.place()
    let waitingFrames = 0
    let waitingBytes = untakenBytes
    let first = Number.POSITIVE_INFINITY
    for (const ring of open.audience.rings) {
      const survey = surveyOf(ring)
      const backlog = survey(taken)
      if (backlog.first === undefined) continue
      waitingFrames += backlog.frames
      waitingBytes += given === taken ? backlog.bytes : survey(given).bytes
      first = Math.min(first, backlog.first)
    }
    const lagMs = Number.isFinite(first) ? Math.round(arrivals.age(first)) : 0
    return { open, waitingFrames, waitingBytes, lagMs }
  }

  return {
    overview() {
      const surveys = new Map<ChannelRing, Survey>()
      const surveyOf = (ring: ChannelRing): Survey => {
        const known = surveys.get(ring)
        if (known !== undefined) return known
        const survey = ring.survey()
        surveys.set(ring, survey)
        return survey
      }
      const behind: Standing[] = []
      const level: Standing[] = []
      const sum = { waitingFrames: 0, waitingBytes: 0 }
      for (const open of streams.list()) {
        const standing = standingOf(open, surveyOf)
        sum.waitingFrames += standing.waitingFrames
        sum.waitingBytes += standing.waitingBytes
        if (standing.waitingBytes > 0) behind.push(standing)
        else if (level.length < maxListed) level.push(standing)
      }
      behind.sort((left, right) => right.lagMs - left.lagMs || right.waitingBytes - left.waitingBytes)
      return {
        streams: [...behind.slice(0, maxListed), ...level].slice(0, maxListed).map(listed),
        totals: { streams: streams.count, behind: behind.length, ...sum, delivered: deliveredFrames() },
      }
    },
  }
}

function listed({ open, waitingFrames, waitingBytes, lagMs }: Standing): ListedStream {
  const { id, since, channels, subject, stream } = open
  return {
    id,
    since: new Date(since).toISOString(),
    channels: channels.slice(0, maxNamed),
    channelCount: channels.length,
    ...(subject !== undefined && { subject }),
    delivered: stream.place().delivered,
    waitingFrames,
    waitingBytes,
    lagMs,
  }
}
