import { element, setText, svgElement } from './element.js'
import { type Point, roundUp } from './series.js'

export interface TimePlotLine {
  /** Undefined where there is one line only, which the title names. */
  readonly name?: string
  /** The last `span` milliseconds. */
  readonly points: readonly Point[]
}

export interface TimePlotOptions {
  readonly title: string
  /** What the values are, in words. */
  readonly unit: string
  /** Whether the caption names it, where the values themselves do not. Default: `true`. */
  readonly showUnit?: boolean
  /** In milliseconds, whole minutes. */
  readonly span: number
  readonly format: (value: number) => string
}

export interface TimePlot {
  readonly node: HTMLElement
  show(lines: readonly TimePlotLine[], now: number): void
}

/** Values that are further apart than this, in milliseconds, are not joined: in between nothing was measured. */
const maxJoined = 7_000
const width = 300
const height = 100

/** Lines over time, up to now, from zero to a round number. All that it says stands in its caption and its label, too. */
export function createTimePlot({ title, unit, showUnit = true, span, format }: TimePlotOptions): TimePlot {
  const minutes = span / 60_000
  const now = element('span', { class: 'time-plot-now' })
  const scale = [element('span'), element('span'), element('span', {}, '0')]
  const lines = svgElement('g')
  const image = svgElement(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img' },
    ...[0, 0.5, 1].map((share) => gridLine(0, width, share * height, share * height)),
    ...Array.from({ length: minutes + 1 }, (_, minute) => {
      const x = (minute / minutes) * width
      return gridLine(x, x, 0, height)
    }),
    lines,
  )
  const times = Array.from({ length: minutes }, (_, minute) =>
    element('span', {}, minute === 0 ? `${minutes} min` : String(minutes - minute)),
  )
  times.at(-1)?.append(element('span', { class: 'time-plot-end' }, 'now'))
  const node = element(
    'figure',
    { class: 'time-plot' },
    element(
      'figcaption',
      {},
      element(
        'span',
        { class: 'time-plot-title' },
        title,
        showUnit ? element('span', { class: 'unit' }, ` ${unit}`) : undefined,
      ),
      now,
    ),
    element('div', { class: 'time-plot-scale', 'aria-hidden': 'true' }, ...scale),
    image,
    element('div', { class: 'time-plot-times', 'aria-hidden': 'true' }, ...times),
  )

  return {
    node,
    show(shown, at) {
      const values = shown.flatMap(({ points }) => points.map(({ value }) => value))
      const top = roundUp(Math.max(...values, 0))
      setText(scale[0] ?? node, format(top))
      setText(scale[1] ?? node, format(top / 2))
      lines.replaceChildren(
        ...shown.flatMap(({ points }, index) =>
          joined(points).map((part) =>
            svgElement('polyline', {
              class: `time-plot-line line-${index}`,
              points: part.map((point) => place(point, at, top)).join(' '),
            }),
          ),
        ),
      )
      now.replaceChildren(
        ...shown.map(({ name, points }, index) => {
          const last = points.at(-1)
          const text = last === undefined ? '…' : format(last.value)
          return element(
            'span',
            { class: `time-plot-key line-${index}` },
            name === undefined ? text : `${name} ${text}`,
          )
        }),
      )
      image.setAttribute('aria-label', words(shown))
    },
  }

  function place({ at, value }: Point, end: number, top: number): string {
    const x = Math.max(0, 1 - (end - at) / span) * width
    return `${x.toFixed(1)},${((1 - value / top) * height).toFixed(1)}`
  }

  function words(shown: readonly TimePlotLine[]): string {
    const each = shown.map(({ name, points }) => {
      const values = points.map(({ value }) => value)
      const subject = name === undefined ? '' : `${name} `
      if (values.length === 0) return `${subject}not measured yet`
      return `${subject}now ${format(values.at(-1) ?? 0)}, lowest ${format(Math.min(...values))}, highest ${format(Math.max(...values))}`
    })
    return `${title}, ${unit}, over the last ${minutes} minutes: ${each.join('; ')}`
  }
}

const gridLine = (x1: number, x2: number, y1: number, y2: number): SVGElement =>
  svgElement('line', { class: 'plot-base', x1, x2, y1, y2 })

/** The parts of a line between which nothing was measured. A single value is a short dash. */
function joined(points: readonly Point[]): readonly (readonly Point[])[] {
  const parts: Point[][] = []
  for (const point of points) {
    const part = parts.at(-1)
    const last = part?.at(-1)
    if (part === undefined || last === undefined || point.at - last.at > maxJoined) parts.push([point])
    else part.push(point)
  }
  return parts.map((part) => {
    const [first] = part
    return part.length > 1 || first === undefined ? part : [{ ...first, at: first.at - 1_000 }, first]
  })
}
