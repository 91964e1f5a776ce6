import { parseArgs } from 'node:util'
import { startPostgres } from '@ps/services'
import { commonOptions, readRunOptions, reportProgress } from './run-options.js'
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
    options: commonOptions,
  })
  if (values.help) {
    process.stdout.write(usage)
    return true
  }
  const { minutes, seed } = readRunOptions(values, usage)
  const postgres = await startPostgres()
  try {
    const evidence = await runStreams({
      plan: fullPlan,
      minutes,
      seed,
      databaseUrl: postgres.url,
      signal,
      onProgress: reportProgress,
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
