import { parseArgs } from 'node:util'
import { commonOptions, misuse, readRunOptions, reportProgress } from './run-options.js'
import { runProgram } from './run-program.js'
import { runSoak } from './run-soak.js'
import { backendNames, redisKinds } from './soak-server.js'

const usage = `pnpm soak --minutes N [--backend redis|postgres|both] [--redis server|cluster] [--seed n] [--packing]

Runs publishers and listeners as processes, with faults, and audits every message. Every second publisher packs messages; with
--packing all do.
Exit code 1 where a limit is broken.
`

await runProgram(async (signal) => {
  const { values } = parseArgs({
    options: {
      ...commonOptions,
      backend: { type: 'string', default: 'both' },
      redis: { type: 'string', default: 'server' },
      packing: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return true
  }
  const { minutes, seed } = readRunOptions(values, usage)
  const backends = backendNames.filter((name) => values.backend === 'both' || values.backend === name)
  const redis = redisKinds.find((kind) => kind === values.redis)
  if (redis === undefined || backends.length === 0) throw misuse(usage)
  const packers = values.packing ? 'every publisher' : 'every second publisher'
  process.stderr.write(
    `soaking ${backends.join(' and ')} for ${minutes} min, seed ${seed}, ${packers} packs\n`,
  )
  return runSoak({
    minutes,
    backends,
    redis,
    seed,
    packing: values.packing,
    signal,
    onProgress: reportProgress,
  })
})
