import { randomName } from './random-name.js'
import { percentile } from './series.js'

export interface LatencyState {
  /** The last round trips, oldest first, in milliseconds. */
  readonly samples: readonly number[]
  readonly median: number | undefined
  readonly p99: number | undefined
  /** The last probe has not come back in time. */
  readonly unanswered: boolean
}

export interface LatencyOptions {
  readonly publish: (channel: string, json: string) => Promise<void>
  /** Called in the frame in which an arrival is to be painted. */
  readonly onArrival: () => void
  /** One round trip, in milliseconds. */
  readonly onSample: (milliseconds: number) => void
  readonly onChange: (state: LatencyState) => void
}

export interface LatencyProbe {
  /** A channel of this page alone, on which its probes travel. */
  readonly channel: string
  /** Measures while `on`; no probe is sent before, and none is waited for after. */
  run(on: boolean): void
  receive(message: unknown): void
}

const interval = 2_000
const maxSamples = 100
const patience = 5_000

/** Publishes through the api and measures until the arrival is on the screen. */
export function createLatencyProbe({ publish, onArrival, onSample, onChange }: LatencyOptions): LatencyProbe {
  const channel = `dashboard-latency-${randomName()}`
  const sentAt = new Map<number, number>()
  let samples: readonly number[] = []
  let number = 0
  let timer: ReturnType<typeof setInterval> | undefined

  const tell = (): void => {
    const oldest = Math.min(...sentAt.values())
    onChange({
      samples,
      median: percentile(samples, 0.5),
      p99: percentile(samples, 0.99),
      unanswered: performance.now() - oldest > patience,
    })
  }

  const probe = (): void => {
    number += 1
    sentAt.set(number, performance.now())
    // The connection view says why nothing comes back; here the silence itself is the finding.
    publish(channel, JSON.stringify({ probe: number })).catch(() => undefined)
    for (const [old, time] of sentAt) if (performance.now() - time > 10 * patience) sentAt.delete(old)
    tell()
  }

  return {
    channel,
    run(on) {
      if (on === (timer !== undefined)) return
      clearInterval(timer)
      timer = undefined
      sentAt.clear()
      if (!on) return
      timer = setInterval(probe, interval)
      probe()
    },
    receive(message) {
      if (typeof message !== 'object' || message === null || !('probe' in message)) return
      const probed = Number(message.probe)
      if (!sentAt.has(probed)) return
      requestAnimationFrame(() => {
        onArrival()
        afterPaint(() => {
          const sent = sentAt.get(probed)
          // Gone where the page was hidden in the meantime: a frame that nobody saw is no measurement.
          if (sent === undefined) return
          sentAt.delete(probed)
          const sample = performance.now() - sent
          samples = [...samples, sample].slice(-maxSamples)
          onSample(sample)
          tell()
        })
      })
    },
  }
}

/** A task queued in the callback of a frame runs once that frame is painted; a timer would come later. */
function afterPaint(callback: () => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.addEventListener('message', () => {
    port1.close()
    callback()
  })
  port1.start()
  port2.postMessage(undefined)
}
