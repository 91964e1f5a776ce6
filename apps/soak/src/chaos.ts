import { parseArgs } from 'node:util'
import { runChaos } from './run-chaos.js'
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
      minutes: { type: 'string' },
      backend: { type: 'string', default: 'redis' },
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
  const first = backendNames.find((name) => name === values.backend)
  if (first === undefined || !(minutes > 0) || !Number.isInteger(seed)) throw new Error(`use it so: ${usage}`)
  process.stderr.write(`chaos over ${first} first for ${minutes} min, seed ${seed}\n`)
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`)
  return runChaos({ minutes, first, seed, signal, onProgress })
})
