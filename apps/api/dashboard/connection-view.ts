import type { ConnectionState } from '@ps/browser'
import type { Health } from '@ps/core'
import { backendDetails, backendWords } from './backend-words.js'
import { pageElement, setText } from './element.js'
import { formatCount, formatMilliseconds, formatTime } from './format.js'
import type { GapState } from './gaps.js'
import type { LatencyState } from './latency.js'
import { sparkline } from './plots.js'

export interface ConnectionView {
  stream(state: ConnectionState): void
  /** What the server says of its client, or why it said nothing. */
  health(health: Health | string): void
  gaps(state: GapState): void
  latency(state: LatencyState): void
  /** Paints a dot, so that the frame that is measured shows something new. */
  probeArrived(): void
  /** Lets times on it grow older. */
  tick(): void
}

const slots = 100

/** The strip below the title: the stream, the backend, how fast and how whole it all is. */
export function createConnectionView(): ConnectionView {
  const streamVital = pageElement('stream-vital', HTMLDivElement)
  const streamState = pageElement('stream-state', HTMLParagraphElement)
  const streamNote = pageElement('stream-note', HTMLParagraphElement)
  const backendVital = pageElement('backend-vital', HTMLDivElement)
  const backendName = pageElement('backend-name', HTMLParagraphElement)
  const backendNote = pageElement('backend-note', HTMLParagraphElement)
  const latencyVital = pageElement('latency-vital', HTMLDivElement)
  const latencyMedian = pageElement('latency-median', HTMLParagraphElement)
  const latencyNote = pageElement('latency-note', HTMLParagraphElement)
  const latencyPlot = pageElement('latency-sparkline', HTMLDivElement)
  const gapsVital = pageElement('gaps-vital', HTMLDivElement)
  const gapsCount = pageElement('gaps-count', HTMLParagraphElement)
  const gapsNote = pageElement('gaps-note', HTMLParagraphElement)
  let lastStream: ConnectionState = { kind: 'connecting' }
  let lastGaps: GapState = { count: 0 }

  const mark = (vital: HTMLElement, mood: Mood): void => {
    vital.dataset['mood'] = mood
  }

  const showStream = (): void => {
    document.body.dataset['stale'] = String(lastStream.kind !== 'live' || !lastStream.confirmed)
    if (lastStream.kind === 'live') {
      const { since, confirmed } = lastStream
      mark(streamVital, confirmed ? 'good' : 'warning')
      setText(streamState, confirmed ? 'Live' : 'Connected')
      setText(
        streamNote,
        confirmed ? `since ${formatTime(since)}` : 'to the server, which waits for a broker',
      )
    } else if (lastStream.kind === 'connecting') {
      mark(streamVital, 'none')
      setText(streamState, 'Connecting')
      setText(streamNote, '')
    } else if (lastStream.kind === 'reconnecting') {
      const seconds = Math.ceil((lastStream.retryAt - Date.now()) / 1_000)
      const next = seconds > 0 ? `next try in ${seconds} s` : 'trying now'
      mark(streamVital, 'bad')
      setText(streamState, 'Reconnecting')
      setText(streamNote, `since ${formatTime(lastStream.since)}, ${lastStream.reason}; ${next}`)
    } else {
      mark(streamVital, 'bad')
      setText(streamState, 'Not connected')
      setText(streamNote, lastStream.kind === 'refused' ? lastStream.reason : '')
    }
  }

  const showGaps = (): void => {
    const { count, last } = lastGaps
    setText(gapsCount, formatCount(count))
    mark(gapsVital, last === undefined || last.mendedAt !== undefined ? 'none' : 'bad')
    setText(gapsNote, gapsWords(lastGaps, lastStream.kind !== 'live'))
  }

  return {
    stream(state) {
      lastStream = state
      showStream()
      showGaps()
    },
    tick: showStream,
    health(health) {
      if (typeof health === 'string') {
        mark(backendVital, 'bad')
        setText(backendName, 'Unknown')
        return setText(backendNote, health)
      }
      mark(backendVital, stateMoods[health.state])
      setText(backendName, backendWords(health))
      setText(backendNote, backendDetails(health))
    },
    gaps(state) {
      lastGaps = state
      showGaps()
    },
    latency({ samples, median, p99, unanswered }) {
      mark(latencyVital, unanswered ? 'bad' : 'none')
      setText(latencyMedian, median === undefined ? '…' : formatMilliseconds(median))
      latencyPlot.replaceChildren(sparkline(samples, slots))
      if (unanswered) return setText(latencyNote, 'The last message has not come back yet')
      if (median === undefined || p99 === undefined) return setText(latencyNote, 'Measuring')
      setText(latencyNote, `median of the last ${samples.length}; p99 ${formatMilliseconds(p99)}`)
    },
    probeArrived() {
      latencyVital.classList.toggle('pulse')
    },
  }
}

function gapsWords({ last }: GapState, streamIsAway: boolean): string {
  if (streamIsAway) return 'Until the stream is back, nothing new is shown'
  if (last === undefined) return 'Nothing missed since the page was opened'
  const what = 'Something may have been missed'
  if (last.mendedAt === undefined) return `${what}: ${last.reason}. Fetching everything again…`
  return `${what} at ${formatTime(last.at)}: ${last.reason}. Everything was fetched again.`
}

type Mood = 'good' | 'warning' | 'bad' | 'none'

const stateMoods: Readonly<Record<Health['state'], Mood>> = {
  ready: 'good',
  degraded: 'warning',
  down: 'bad',
}
