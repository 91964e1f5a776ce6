import { parseArgs } from 'node:util'
import { startPostgres } from '@ps/services'
import { runProgram } from './run-program.js'
import { runStreams } from './streams/run-streams.js'
import { fullPlan } from './streams/stream-plan.js'
import { streamNotes, streamRows } from './streams/stream-verdict.js'
import { renderTable } from './table.js'

const usage = `pnpm streams --minutes N [--seed n]

Opens 500 event streams at the api, of which some stall, some are killed and some come back all the time, and audits every message.
Exit code 1 where a limit is broken.
`

await runProgram(async (signal) => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return true
  }
  const minutes = Number(values.minutes)
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed)
  if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error(`use it so: ${usage}`)
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`)
  const postgres = await startPostgres()
  try {
    const evidence = await runStreams({
      plan: fullPlan,
      minutes,
      seed,
      databaseUrl: postgres.url,
      signal,
      onProgress,
    })
    const rows = streamRows(evidence)
    const notes = [
      ...streamNotes,
      ...Array.from(evidence.counts.gapReasons, ([reason, times]) => `gap, ${times} times: ${reason}`),
      ...new Set(evidence.refusedStreams),
    ]
    const broken = rows.filter((row) => row.broken).map(({ label }) => label)
    const verdict = broken.length === 0 ? 'every limit is kept' : `BROKEN: ${broken.join('; ')}`
    process.stdout.write(`${renderTable(['api'], rows)}\n${notes.join('\n')}\n${verdict} (seed ${seed})\n`)
    return broken.length === 0
  } finally {
    await postgres.stop()
  }
})
