import { pageElement } from './element.js'
import { formatMilliseconds, formatRate } from './format.js'
import { createCountRate, createSeries, percentile } from './series.js'
import { createTimePlot } from './time-plot.js'

export interface ActivityView {
  /** This page heard a message. */
  heard(): void
  /** What the server has given to all streams since its start, in frames. */
  delivered(frames: number): void
  /** How long a message took from publishing to the screen, in milliseconds. */
  latency(milliseconds: number): void
  /** Draws what has come; to be called every second. While `live` is false nothing is measured. */
  tick(live: boolean): void
}

const span = 5 * 60_000
/** Over what time the percentiles of the latency are taken. */
const latencyWindow = 60_000

/** The last five minutes as plots: how much is heard, how much is delivered, how long it takes. */
export function createActivityView(): ActivityView {
  const host = pageElement('activity', HTMLDivElement)
  const heardPlot = createTimePlot({
    title: 'Heard by this page',
    unit: 'messages a second',
    span,
    format: formatRate,
  })
  const deliveredPlot = createTimePlot({
    title: 'Delivered by this server',
    unit: 'frames a second',
    span,
    format: formatRate,
  })
  const latencyPlot = createTimePlot({
    title: 'Publish to screen',
    unit: 'percentiles of one minute',
    showUnit: false,
    span,
    format: formatMilliseconds,
  })
  host.append(heardPlot.node, deliveredPlot.node, latencyPlot.node)

  const heardRates = createSeries(span)
  const deliveredRates = createSeries(span)
  const medians = createSeries(span)
  const highs = createSeries(span)
  const samples = createSeries(latencyWindow)
  const heardRate = createCountRate()
  const deliveredRate = createCountRate()
  let heard = 0

  const draw = (): void => {
    const now = Date.now()
    heardPlot.show([{ points: heardRates.points(now) }], now)
    deliveredPlot.show([{ points: deliveredRates.points(now) }], now)
    latencyPlot.show(
      [
        { name: 'p50', points: medians.points(now) },
        { name: 'p99', points: highs.points(now) },
      ],
      now,
    )
  }
  draw()

  return {
    heard() {
      heard += 1
    },
    delivered(frames) {
      const now = Date.now()
      const rate = deliveredRate.read(now, frames)
      if (rate !== undefined) deliveredRates.add(now, rate)
    },
    latency(milliseconds) {
      const now = Date.now()
      samples.add(now, milliseconds)
      const values = samples.points(now).map(({ value }) => value)
      medians.add(now, percentile(values, 0.5) ?? milliseconds)
      highs.add(now, percentile(values, 0.99) ?? milliseconds)
    },
    tick(live) {
      const now = Date.now()
      const rate = heardRate.read(now, heard)
      if (rate !== undefined && live) heardRates.add(now, rate)
      draw()
    },
  }
}
