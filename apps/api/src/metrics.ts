import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'

export interface MetricsSources {
  readonly streams: () => number
  readonly engines: () => number
  /** The state of every job. */
  readonly jobStates: () => readonly string[]
}

export interface Metrics {
  published(isAccepted: boolean): void
  slowStream(): void
  /** As Prometheus reads them. */
  text(): Promise<string>
  readonly contentType: string
}

export function createMetrics({ streams, engines, jobStates }: MetricsSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  // The default of 10 ms would wake an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 200 })
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
  registry.registerMetric(
    new Gauge({
      name: 'api_streams',
      help: 'Open event streams',
      registers: [],
      collect() {
        this.set(streams())
      },
    }),
  )
  registry.registerMetric(
    new Gauge({
      name: 'api_engines',
      help: 'Engines alive',
      registers: [],
      collect() {
        this.set(engines())
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
  return {
    published: (isAccepted) => published.inc({ accepted: String(isAccepted) }),
    slowStream: () => slow.inc(),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
