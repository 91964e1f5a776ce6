import { measurementCells } from './render-measurement.js'
import type { Measurement, Results } from './results.js'

const begin = '<!-- by hand: begin -->'
const end = '<!-- by hand: end -->'
const emptyHand = `${begin}\n${end}`

/** The page about performance. What stands between the two marks of `before` is kept as it is. */
export function renderDocs(results: Results, before: string): string {
  const { date, machine, versions, rounds, milliseconds, leftOut, measurements } = results
  const from = before.indexOf(begin)
  const to = before.indexOf(end)
  const hand = from === -1 || to < from ? emptyHand : before.slice(from, to + end.length)
  const library = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `# Performance

${hand}

## Figures

Made by \`pnpm bench\` on ${date.slice(0, 10)}, and by \`pnpm bench --write-docs\` into this page.

- Machine: ${machine}. Publisher, listener and server share it.
- Versions: ${library.join(', ')}.
- ${rounds} rounds of ${milliseconds} ms for each, in turns: every figure is the median of the rounds, beside it the least and the
  greatest. "× raw" is how many times as good as the plain driver on the same server (ioredis, postgres.js) the median is.
- Publisher and listener are two processes. A message counts when it is delivered; \`/s\` is until the last delivery. Every
  library makes JSON of an object, awaits each acknowledgement and parses (mqemitter-redis: MessagePack). Under a rate, messages
  leave with the ticks of a timer of 1 ms.
- "socket" is no library: the least that a program on \`node:net\` must do for the same commands, one write a turn.
- "faults" counts over all rounds what failed, was lost, doubled or out of order.

${leftOut.map(({ name, why }) => `- Left out: ${name}: ${why}`).join('\n')}

![throughput](performance/plot.svg)

${measurements.map(renderTable).join('\n\n')}
`
}

function renderTable(measurement: Measurement): string {
  const [head = [], ...lines] = measurementCells(measurement)
  const asLine = (cells: readonly string[]): string =>
    `| ${head.map((_, column) => (cells[column] ?? '').replaceAll('|', '\\|').split('\n')[0]).join(' | ')} |`
  const rule = `|---|${'---:|'.repeat(head.length - 2)}---|`
  return [`### ${measurement.title}`, '', asLine(head), rule, ...lines.map(asLine)].join('\n')
}
