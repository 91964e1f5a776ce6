import { parseArgs } from 'node:util'
import { runChaos } from './run-chaos.js'
import { commonOptions, misuse, readRunOptions, reportProgress } from './run-options.js'
import { runProgram } from './run-program.js'
import { backendNames } from './soak-server.js'

const usage = `pnpm chaos --minutes N [--backend redis|postgres] [--seed n]

Runs publishers and listeners over both brokers, --backend first (redis unless it is given) and the other one behind it, with faults
on one of them at a time, and audits every message.
Exit code 1 where a limit is broken.
`

await runProgram(async (signal) => {
  const { values } = parseArgs({
    options: {
      ...commonOptions,
      backend: { type: 'string', default: 'redis' },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return true
  }
  const { minutes, seed } = readRunOptions(values, usage)
  const first = backendNames.find((name) => name === values.backend)
  if (first === undefined) throw misuse(usage)
  process.stderr.write(`chaos over ${first} first for ${minutes} min, seed ${seed}\n`)
  return runChaos({ minutes, first, seed, signal, onProgress: reportProgress })
})
