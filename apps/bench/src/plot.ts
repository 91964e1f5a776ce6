import { backendNames } from './contestants.js'
import { numberText } from './render-measurement.js'
import type { Measurement } from './results.js'
import { figures, summarize } from './sample.js'

const width = 720
const labelWidth = 200
const barWidth = 400
const rowHeight = 20
const colours = { ours: '#2563eb', raw: '#6b7280', peer: '#d1d5db', limit: '#fbbf24' }

/** A measurement as bars of medians, with a line from the least round to the greatest: one picture of SVG. */
export function plotMeasurement({ title, figure, rows }: Measurement): string {
  const parts: string[] = []
  let top = 28
  const text = (x: number, y: number, words: string, more = ''): void =>
    void parts.push(`<text x="${x}" y="${y}"${more}>${escape(words)}</text>`)
  text(8, 18, `${title}: ${figures[figure]?.title ?? figure}`, ' font-weight="bold"')
  for (const backend of backendNames) {
    const bars = rows
      .filter((row) => row.backend === backend)
      .flatMap((row) => {
        const summary = summarize(row.samples, figure)
        return summary === undefined ? [] : [{ row, summary }]
      })
    if (bars.length === 0) continue
    const scale = barWidth / Math.max(...bars.map(({ summary }) => summary.max))
    top += 14
    text(8, top, backend, ' font-weight="bold"')
    top += 8
    for (const { row, summary } of bars) {
      const [middle, end] = [top + rowHeight / 2, labelWidth + summary.median * scale]
      const [from, to] = [labelWidth + summary.min * scale, labelWidth + summary.max * scale]
      text(labelWidth - 6, middle + 4, row.contestant, ' text-anchor="end"')
      parts.push(
        `<rect x="${labelWidth}" y="${top + 3}" width="${fixed(end - labelWidth)}" height="${rowHeight - 6}" fill="${colours[row.kind]}"/>`,
        `<path d="M${fixed(from)} ${middle}H${fixed(to)}" stroke="#111827"/>`,
      )
      text(
        Math.ceil(Math.max(end, to)) + 6,
        middle + 4,
        numberText(summary.median, figures[figure]?.digits ?? 0),
      )
      top += rowHeight
    }
  }
  const height = top + 10
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#ffffff"/>
${parts.join('\n')}
</svg>
`
}

const fixed = (value: number): string => value.toFixed(1)

const escape = (words: string): string => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
