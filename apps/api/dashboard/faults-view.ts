import type { ConnectionState } from '@ps/browser'
import type { Api } from './api.js'
import { type AuditRun, type AuditState, startAuditRun } from './audit-run.js'
import { element, pageElement, setText } from './element.js'
import { formatCount, formatDuration, formatTime } from './format.js'
import { randomName } from './random-name.js'

export interface FaultsViewOptions {
  /** The stream of events. */
  readonly address: string
  readonly api: Pick<Api, 'publish' | 'streams' | 'cutStream' | 'drain' | 'health'>
  readonly onHeard: () => void
  /** The server's name for a stream of this page. */
  readonly onStream: (id: string) => void
}

export interface FaultsView {
  /** The panel is there in development only. */
  show(hasFaults: boolean): void
}

type LiveState = Extract<ConnectionState, { kind: 'live' }>

const tickInterval = 250
const lookInterval = 500
/** How long the page reads nothing, in milliseconds, unless the server cuts it before. */
const maxStall = 15_000
/** How long a stream may take to be back. */
const patience = 40_000
const maxEntries = 20

/** Breaks things on purpose, and counts what becomes of numbered messages meanwhile. */
export function createFaultsView({ address, api, onHeard, onStream }: FaultsViewOptions): FaultsView {
  const panel = pageElement('faults', HTMLElement)
  const verdict = pageElement('audit-verdict', HTMLParagraphElement)
  const toggle = pageElement('audit-toggle', HTMLButtonElement)
  const log = pageElement('faults-log', HTMLOListElement)
  const figures = createFigures()
  const liveWaiters = new Set<(state: LiveState) => void>()
  let run: AuditRun | undefined
  let live: LiveState | undefined
  let ticking: ReturnType<typeof setInterval> | undefined

  const say = (text: string): void => {
    const time = element('time', {}, formatTime(Date.now()))
    log.prepend(element('li', {}, time, element('span', {}, text)))
    while (log.childElementCount > maxEntries) log.lastElementChild?.remove()
  }

  const tick = (): void => {
    if (run === undefined) return
    const state = run.state()
    figures.show(state)
    const isWhole = state.lost === 0 && state.doubled === 0
    verdict.dataset['mood'] = isWhole ? 'good' : 'bad'
    setText(verdict, `${formatCount(state.lost)} lost, ${formatCount(state.doubled)} doubled`)
  }

  const start = (): AuditRun => {
    if (run !== undefined) return run
    live = undefined
    const started = startAuditRun({
      address,
      channel: `dashboard-audit-${randomName()}`,
      publish: api.publish,
      onHeard,
      onState(state) {
        live = state.kind === 'live' ? state : undefined
        if (live === undefined) return
        if (live.stream !== undefined) onStream(live.stream)
        for (const waiter of liveWaiters) waiter(live)
      },
    })
    run = started
    ticking = setInterval(tick, tickInterval)
    setText(toggle, 'Stop the audit')
    return started
  }

  const stop = async (): Promise<void> => {
    const stopped = run
    if (stopped === undefined) return
    toggle.disabled = true
    setText(toggle, 'Waiting for the last…')
    await stopped.finish()
    tick()
    stopped.close()
    clearInterval(ticking)
    run = undefined
    live = undefined
    toggle.disabled = false
    setText(toggle, 'Start the audit')
  }

  /** The stream that is live, or the next, other than `before`. */
  const liveStream = async (before?: string): Promise<LiveState> => {
    if (live !== undefined && live.stream !== before) return live
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        liveWaiters.delete(take)
        clearTimeout(timer)
      }
      const take = (state: LiveState): void => {
        if (state.stream === before) return
        leave()
        resolve(state)
      }
      const timer = setTimeout(() => {
        leave()
        reject(new Error('the stream did not come back in time'))
      }, patience)
      liveWaiters.add(take)
    })
  }

  /** Does it to the audit's stream, and waits for the next one. */
  const breakStream = async (act: (stream: string) => Promise<string>): Promise<string> => {
    start()
    const { stream = '' } = await liveStream()
    const what = await act(stream)
    const brokenAt = Date.now()
    const { resumed } = await liveStream(stream)
    return `${what} Live again after ${formatDuration(Date.now() - brokenAt)}, ${resumedWords[resumed]}.`
  }

  const cut = (): Promise<string> =>
    breakStream(async (stream) => {
      await api.cutStream(stream)
      return 'Cut: the server destroyed the connection.'
    })

  const drain = (): Promise<string> =>
    breakStream(async () => {
      await api.drain()
      return 'Drained: the server said goodbye to every stream and took none for 3 s.'
    })

  /** What the server says of a stream; undefined where it has let go of it. */
  const look = async (id: string) => (await api.streams()).streams.find((stream) => stream.id === id)

  const stall = async (): Promise<string> => {
    const audit = start()
    const { stream = '' } = await liveStream()
    const startedAt = Date.now()
    let mostFrames = 0
    let mostLag = 0
    let isCut = false
    audit.stall()
    try {
      while (!isCut && Date.now() - startedAt < maxStall) {
        await new Promise((resolve) => setTimeout(resolve, lookInterval))
        const seen = await look(stream)
        isCut = seen === undefined
        mostFrames = Math.max(mostFrames, seen?.waitingFrames ?? 0)
        mostLag = Math.max(mostLag, seen?.lagMs ?? 0)
      }
    } finally {
      audit.release()
    }
    const what = `Stalled: nothing was read for ${formatDuration(Date.now() - startedAt)}; on the server up to ${formatCount(mostFrames)} frames waited, for ${formatDuration(mostLag)}.`
    if (!isCut) return `${what} It did not cut the stream, which goes on.`
    const { resumed } = await liveStream(stream)
    return `${what} It cut the stream as too slow. Live again, ${resumedWords[resumed]}.`
  }

  const offer = (id: string, fault: () => Promise<string>): void => {
    const button = pageElement(id, HTMLButtonElement)
    button.addEventListener('click', () => {
      button.disabled = true
      fault()
        .then(say, (error: unknown) => say(error instanceof Error ? error.message : String(error)))
        .finally(() => {
          button.disabled = false
        })
    })
  }

  offer('fault-cut', cut)
  offer('fault-stall', stall)
  offer('fault-drain', drain)
  toggle.addEventListener('click', () => {
    if (run === undefined) start()
    else void stop()
  })

  return {
    show(hasFaults) {
      panel.hidden = !hasFaults
    },
  }
}

const resumedWords = {
  full: 'resumed fully',
  partial: 'resumed partly',
  none: 'not resumed',
} as const

function createFigures(): { show(state: AuditState): void } {
  const figure = (name: string): ((text: string) => void) => {
    const cell = pageElement(`audit-${name}`, HTMLElement)
    return (text) => setText(cell, text)
  }
  const [accepted, heard, onTheWay] = [figure('accepted'), figure('heard'), figure('waiting')]
  const [lost, doubled, outOfOrder] = [figure('lost'), figure('doubled'), figure('disordered')]
  const [gaps, resumed] = [figure('gaps'), figure('resumed')]
  return {
    show(state) {
      const { full, partial, none } = state.resumed
      accepted(
        `${formatCount(state.accepted)}${state.unknown > 0 ? `, ${formatCount(state.unknown)} not known to be` : ''}`,
      )
      heard(formatCount(state.heard))
      onTheWay(formatCount(state.onTheWay))
      lost(formatCount(state.lost))
      doubled(formatCount(state.doubled))
      outOfOrder(formatCount(state.outOfOrder))
      gaps(formatCount(state.gaps))
      resumed(`${full} fully, ${partial} partly, ${none} not`)
    },
  }
}
