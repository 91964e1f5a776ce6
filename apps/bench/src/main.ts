import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describeError } from '@ps/core'
import { RedisUnavailable, startPostgres, startRedis } from '@ps/services'
import { backendNames, contestants, leftOut } from './contestants.js'
import { describeMachine, readVersions } from './machine.js'
import { watchOtherLoad } from './other-load.js'
import { plotMeasurement } from './plot.js'
import { renderDocs } from './render-docs.js'
import { numberText, renderMeasurement } from './render-measurement.js'
import { listMeasures } from './measures.js'
import type { Measurement, Results } from './results.js'
import { runCore } from './run-core.js'
import { runMeasures } from './run-measures.js'
import { runTools } from './run-tools.js'
import { runStreams } from './streams/run-streams.js'
import { listStreamMeasures } from './streams/stream-measures.js'
import { judgeTargets } from './targets.js'

const groups = [
  'throughput',
  'large',
  'latency',
  'serial',
  'fan-out',
  'crowd',
  'listening',
  'cpu',
  'fleet',
  'channels',
  'fallback',
  'memory',
  'idle',
  'core',
  'tools',
  'streams',
]
const usage = `pnpm bench [--quick] [--only ${groups.join(',')}] [--backend redis|postgres]
           [--contestant name,…] [--rounds N] [--milliseconds N] [--messages N] [--out folder] [--cpu-prof folder]
pnpm bench --write-docs results.json

Measures @ps against the raw drivers and other libraries, on servers of its own. Writes results.json and plot.svg to the
folder (default: .data/bench). --messages is the length of the run that shows the memory. --write-docs makes docs/performance.md of them.
`

const docsFile = 'docs/performance.md'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error(`ended by ${signal}`)))
}

const list = (text: string | undefined): readonly string[] | undefined => text?.split(',').filter(Boolean)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      backend: { type: 'string' },
      contestant: { type: 'string' },
      rounds: { type: 'string' },
      milliseconds: { type: 'string' },
      messages: { type: 'string' },
      out: { type: 'string', default: '.data/bench' },
      'cpu-prof': { type: 'string' },
      'write-docs': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return say(usage)
  const source = values['write-docs']
  if (source !== undefined) {
    const results = JSON.parse(readFileSync(source, 'utf8')) as Results
    writeFileSync(docsFile, renderDocs(results, existsSync(docsFile) ? readFileSync(docsFile, 'utf8') : ''))
    return say(`written to ${docsFile}`)
  }
  const only = list(values.only)
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 7))
  const milliseconds = Number(values.milliseconds ?? (values.quick ? 250 : 1_000))
  const messages = Number(values.messages ?? (values.quick ? 100_000 : 10_000_000))
  const backends = backendNames.filter((name) => (values.backend ?? name) === name)
  const scale = { quick: values.quick, rounds, milliseconds, messages }
  const names = [...groups, ...[...listMeasures(scale), ...listStreamMeasures(scale)].map(({ name }) => name)]
  const unknown = only?.find((name) => !names.includes(name))
  const isPossible = [rounds, milliseconds, messages].every((value) => value >= 1)
  if (unknown !== undefined || backends.length === 0 || !isPossible) throw new Error(`use it so: ${usage}`)
  const isAsked = (name: string, isLong = false): boolean => only?.includes(name) ?? !(isLong && values.quick)
  const named = list(values.contestant)

  const absent = [...leftOut]
  const taking = []
  for (const contestant of contestants) {
    const { name, backend, missing } = contestant
    if (!backends.includes(backend) || !(named?.includes(name) ?? true)) continue
    const why = await missing?.()
    if (why === undefined) taking.push(contestant)
    else absent.push({ name: `${backend}: ${name}`, why })
  }

  const measurements: Measurement[] = []
  let otherLoad = watchOtherLoad()
  const onMeasurement = (measurement: Measurement): void => {
    const others = otherLoad()
    otherLoad = watchOtherLoad()
    measurements.push({ ...measurement, ...(others !== undefined && { others }) })
    say(renderMeasurement(measurement))
    if (others !== undefined) say(`(other programs: ${numberText(100 * others, 0)} % of the machine)`)
  }
  const nodeArguments =
    values['cpu-prof'] === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(values['cpu-prof'])}`]
  const redis = backends.includes('redis') ? await startRedis().catch(asUnavailable) : undefined
  const postgres = backends.includes('postgres') ? await startPostgres() : undefined
  try {
    if (redis instanceof RedisUnavailable) absent.push({ name: 'redis: all', why: redis.message })
    for (const { name, why } of absent) say(`left out: ${name}: ${why}`)
    if (isAsked('core'))
      onMeasurement(await runCore({ rounds, milliseconds }, nodeArguments, interrupted.signal))
    if (isAsked('tools')) {
      onMeasurement(
        await runTools({
          redis: redis instanceof RedisUnavailable ? undefined : redis,
          postgresUrl: postgres?.url,
          rounds,
          milliseconds,
          signal: interrupted.signal,
        }),
      )
    }
    await runMeasures({
      scale,
      contestants: taking,
      servers: {
        ...(redis !== undefined && !(redis instanceof RedisUnavailable) && { redis }),
        ...(postgres !== undefined && { postgres }),
      },
      isAsked,
      nodeArguments,
      signal: interrupted.signal,
      onMeasurement,
    })
    if (postgres !== undefined) {
      await runStreams({
        scale,
        databaseUrl: postgres.url,
        isAsked: (name) => isAsked('streams', true) || isAsked(name, true),
        nodeArguments,
        signal: interrupted.signal,
        onMeasurement,
      })
    }
  } finally {
    await Promise.all([redis instanceof RedisUnavailable ? undefined : redis?.stop(), postgres?.stop()])
  }
  const results: Results = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    versions: readVersions(),
    quick: values.quick,
    rounds,
    milliseconds,
    leftOut: absent,
    measurements,
  }
  const [first] = measurements.filter(({ name }) => name.startsWith('throughput-'))
  mkdirSync(values.out, { recursive: true })
  writeFileSync(join(values.out, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`)
  if (first !== undefined) writeFileSync(join(values.out, 'plot.svg'), plotMeasurement(first))
  const verdicts = judgeTargets(measurements)
  if (verdicts.length > 0) say(`\nTargets of @ps\n${verdicts.join('\n')}`)
  say(`\n${results.machine}; Node ${process.versions.node}; written to ${values.out}`)
}

function asUnavailable(error: unknown): RedisUnavailable {
  if (error instanceof RedisUnavailable) return error
  throw error
}

try {
  await main()
} catch (error) {
  process.stderr.write(`error: ${describeError(error)}\n`)
  process.exitCode = interrupted.signal.aborted ? 130 : 1
}

// Everything has been ended; a handle that was left behind must not keep the results.
process.exit()
