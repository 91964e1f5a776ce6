import { formatNumber, formatShare } from './format.js'
import { svgElement } from './element.js'

/** A bar as long as its share; what it says stands beside it as text, so it is hidden from screen readers. */
export function shareBar(share: number): SVGElement {
  const width = Math.max(0, Math.min(1, share)) * 100
  return svgElement(
    'svg',
    { class: 'share-bar', viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svgElement('rect', { class: 'plot-track', width: 100, height: 6 }),
    // What is there must be seen, however little it is.
    svgElement('rect', { class: 'plot-fill', width: share > 0 ? Math.max(1.5, width) : 0, height: 6 }),
  )
}

/** Where the mean lies between the least and the greatest value. */
export function spreadLine(min: number, mean: number, max: number): SVGElement {
  const share = max > min ? (mean - min) / (max - min) : 0.5
  const x = 4 + Math.max(0, Math.min(1, share)) * 92
  const text = `The mean, ${formatNumber(mean)}, lies at ${formatShare(share)} of the way from ${formatNumber(min)} to ${formatNumber(max)}.`
  return svgElement(
    'svg',
    { class: 'spread-line', viewBox: '0 0 100 12', role: 'img', 'aria-label': text },
    svgElement('title', {}, text),
    svgElement('line', { class: 'plot-axis', x1: 4, x2: 96, y1: 6, y2: 6 }),
    svgElement('line', { class: 'plot-axis', x1: 4, x2: 4, y1: 3, y2: 9 }),
    svgElement('line', { class: 'plot-axis', x1: 96, x2: 96, y1: 3, y2: 9 }),
    svgElement('circle', { class: 'plot-point', cx: x, cy: 6, r: 3.5 }),
  )
}

/**
 * The last values as a line over zero; the figures stand beside it as text. The scale is that of most values, and what is far
 * beyond is cut, since one slow moment would flatten all the others.
 */
export function sparkline(values: readonly number[], slots: number): SVGElement {
  const usual = values.toSorted((left, right) => left - right)[Math.floor(values.length * 0.9)] ?? 0
  const highest = Math.max(2 * usual, 1)
  const points = values.map((value, index) => {
    const x = ((slots - values.length + index) / (slots - 1)) * 100
    return `${x.toFixed(2)},${(27 - Math.min(1, value / highest) * 25).toFixed(2)}`
  })
  return svgElement(
    'svg',
    { viewBox: '0 0 100 28', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svgElement('line', { class: 'plot-base', x1: 0, x2: 100, y1: 27.5, y2: 27.5 }),
    svgElement('polyline', { class: 'plot-line', points: points.join(' ') }),
  )
}
