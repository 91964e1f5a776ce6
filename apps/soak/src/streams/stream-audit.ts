import type { ClientKind } from './stream-plan.js'

export interface StreamEvent {
  readonly id: string | undefined
  /** `message` where it has no name. */
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

/** What all clients together have seen. */
export interface StreamCounts {
  messages: number
  /** Missing at a client that was not told so. */
  lost: number
  /** Missing at a client that was told a gap there. */
  missedWithGap: number
  doubled: number
  /** Ids that did not rise. */
  disordered: number
  gaps: number
  /** Of them, those told to clients that were never away for longer than messages are kept. */
  needlessGaps: number
  /** Of them, those told where nothing was missing. */
  groundlessGaps: number
  /** How often each reason was given for a gap. */
  gapReasons: Map<string, number>
  resumed: { full: number; partial: number; none: number }
  /** Those that were not resumed in full, and were never away for long. */
  notFull: number
  notLive: number
  byes: Map<string, number>
}

/** One client, through all its streams. */
export interface ClientAudit {
  /** A stream begins; `resumes`: it was asked for with the last id. */
  begin(resumes: boolean): void
  hear(event: StreamEvent): void
  /** How many messages of a channel have been published and are not here, of the channel where it is most. */
  behind(): number
  /** Counts what is still missing. Called once, when nothing more can come. */
  finish(): void
}

export interface StreamAudit {
  readonly counts: StreamCounts
  client(kind: ClientKind, channels: readonly string[]): ClientAudit
}

interface Place {
  /** The sequence that comes next; before the first message, the highest that it may begin with. */
  next: number
  hasBegun: boolean
  wasToldGap: boolean
}

/** `published`: how many messages have been given to a channel so far; their sequences count from 0. */
export function createStreamAudit(published: (channel: string) => number): StreamAudit {
  const counts: StreamCounts = {
    messages: 0,
    lost: 0,
    missedWithGap: 0,
    doubled: 0,
    disordered: 0,
    gaps: 0,
    needlessGaps: 0,
    groundlessGaps: 0,
    gapReasons: new Map(),
    resumed: { full: 0, partial: 0, none: 0 },
    notFull: 0,
    notLive: 0,
    byes: new Map(),
  }

  const client = (kind: ClientKind, channels: readonly string[]): ClientAudit => {
    const places = new Map<string, Place>()
    let isResumed = false
    let epoch = ''
    let newest = -1

    const checkId = (id: string): void => {
      const [of = '', digits] = id.split('.')
      const sequence = Number(digits)
      if (of === epoch && sequence <= newest) counts.disordered += 1
      epoch = of
      newest = sequence
    }

    /** From here on up to `next` is missing. */
    const missing = (place: Place, count: number): void => {
      if (place.wasToldGap) counts.missedWithGap += count
      else counts.lost += count
    }

    const hearHello = ({ live, resumed }: StreamEvent['data']): void => {
      if (live !== true) counts.notLive += 1
      if (isResumed && (resumed === 'full' || resumed === 'partial' || resumed === 'none')) {
        counts.resumed[resumed] += 1
        if (resumed !== 'full' && kind !== 'late') counts.notFull += 1
      }
      for (const channel of channels) {
        if (!places.has(channel))
          places.set(channel, { next: published(channel), hasBegun: false, wasToldGap: false })
      }
    }

    const hearMessage = (channel: string, sequence: number): void => {
      const place = places.get(channel)
      if (place === undefined) return
      counts.messages += 1
      if (place.hasBegun && sequence < place.next) {
        counts.doubled += 1
        return
      }
      if (sequence > place.next) missing(place, sequence - place.next)
      else if (place.wasToldGap) counts.groundlessGaps += 1
      Object.assign(place, { next: sequence + 1, hasBegun: true, wasToldGap: false })
    }

    const hearGap = (channel: string, reason: string): void => {
      counts.gaps += 1
      count(counts.gapReasons, reason)
      if (kind !== 'late') counts.needlessGaps += 1
      const place = places.get(channel)
      if (place !== undefined) place.wasToldGap = true
    }

    return {
      begin(resumes) {
        isResumed = resumes
      },
      hear({ id, event, data }) {
        if (id !== undefined) checkId(id)
        const { channel, message, reason } = data as {
          readonly channel: string
          readonly message?: { readonly sequence: number }
          readonly reason?: string
        }
        if (event === 'message') hearMessage(channel, message?.sequence ?? 0)
        else if (event === 'ps.hello') hearHello(data)
        else if (event === 'ps.gap') hearGap(channel, reason ?? '')
        else if (event === 'ps.bye') count(counts.byes, reason ?? '')
      },
      behind: () =>
        Math.max(...channels.map((channel) => published(channel) - (places.get(channel)?.next ?? 0))),
      finish() {
        for (const [channel, place] of places) {
          const left = published(channel) - place.next
          if (left > 0) missing(place, left)
          else if (place.wasToldGap) counts.groundlessGaps += 1
        }
      },
    }
  }

  return { counts, client }
}

const count = (times: Map<string, number>, what: string): void =>
  void times.set(what, (times.get(what) ?? 0) + 1)
