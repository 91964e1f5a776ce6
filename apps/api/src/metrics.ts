import type { Health } from '@ps/core'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { History } from './history.js'
import type { Resumed } from './resumption.js'

/** In seconds. */
const delayBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
/** In milliseconds. */
const loopSampleInterval = 500

export interface MetricsSources {
  readonly streams: () => number
  /** How many channels are listened to for streams. */
  readonly channels: () => number
  readonly history: Pick<History, 'frames' | 'bytes'>
  readonly health: () => Promise<Health>
  readonly engines: () => number
  /** The state of every job. */
  readonly jobStates: () => readonly string[]
}

export interface Metrics {
  published(isAccepted: boolean): void
  slowStream(): void
  /** A stream began whose client had seen another one. */
  resumed(how: Resumed): void
  /** Frames were given to one stream in one write. */
  delivered(frames: number): void
  /** All of them, since the start. */
  readonly deliveredFrames: number
  /** All streams that could take it were given what came, so many milliseconds after the first of it. */
  flushed(milliseconds: number): void
  /** As Prometheus reads them. */
  text(): Promise<string>
  readonly contentType: string
}

export function createMetrics({
  streams,
  channels,
  history,
  health,
  engines,
  jobStates,
}: MetricsSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  // The default of 10 ms would wake an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 200 })
  const gauge = (name: string, help: string, read: () => number): void =>
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read())
        },
      }),
    )
  const published = new Counter({
    name: 'api_published_total',
    help: 'Messages published over HTTP, by whether a broker is known to have them',
    labelNames: ['accepted'] as const,
    registers,
  })
  const slow = new Counter({
    name: 'api_slow_streams_total',
    help: 'Streams that were cut because their client did not read',
    registers,
  })
  const resumed = new Counter({
    name: 'api_resumed_streams_total',
    help: 'Streams of clients that came back, by how much of what they had missed was sent again',
    labelNames: ['resumed'] as const,
    registers,
  })
  const delivered = new Counter({
    name: 'api_delivered_frames_total',
    help: 'Frames given to streams, once a stream',
    registers,
  })
  const coalesced = new Counter({
    name: 'api_coalesced_frames_total',
    help: 'Of the delivered frames, those that needed no write of their own',
    registers,
  })
  const flush = new Histogram({
    name: 'api_flush_seconds',
    help: 'From the arrival of a message until it was given to every stream that could take it',
    buckets: delayBuckets,
    registers,
  })
  const loopDelay = new Histogram({
    name: 'api_event_loop_delay_seconds',
    help: 'How late a timer was that fires every half second',
    buckets: delayBuckets,
    registers,
  })
  // The ones that come by default count the time between two samples, too.
  let due = performance.now() + loopSampleInterval
  setInterval(() => {
    const now = performance.now()
    loopDelay.observe(Math.max(0, now - due) / 1_000)
    due = now + loopSampleInterval
  }, loopSampleInterval).unref()
  gauge('api_streams', 'Open event streams', streams)
  gauge('api_channels', 'Channels listened to for streams', channels)
  gauge('api_history_frames', 'Frames kept for clients that come back', () => history.frames)
  gauge('api_history_bytes', 'What these frames take', () => history.bytes)
  gauge('api_engines', 'Engines alive', engines)
  registry.registerMetric(
    new Gauge({
      name: 'api_broker_up',
      help: 'Whether a broker is up, by its name',
      labelNames: ['broker'] as const,
      registers: [],
      async collect() {
        for (const { name, state } of (await health()).backends)
          this.set({ broker: name }, state === 'ready' ? 1 : 0)
      },
    }),
  )
  registry.registerMetric(
    new Gauge({
      name: 'api_jobs',
      help: 'Jobs that this api knows, by state',
      labelNames: ['state'] as const,
      registers: [],
      collect() {
        this.reset()
        for (const state of jobStates()) this.inc({ state })
      },
    }),
  )
  let deliveredFrames = 0
  return {
    published: (isAccepted) => published.inc({ accepted: String(isAccepted) }),
    slowStream: () => slow.inc(),
    resumed: (how) => resumed.inc({ resumed: how }),
    delivered(frames) {
      deliveredFrames += frames
      delivered.inc(frames)
      if (frames > 1) coalesced.inc(frames - 1)
    },
    get deliveredFrames() {
      return deliveredFrames
    },
    flushed: (milliseconds) => flush.observe(milliseconds / 1_000),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
