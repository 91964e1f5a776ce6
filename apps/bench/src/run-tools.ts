import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describeError } from '@ps/core'
import type { RedisServer } from '@ps/services'
import type { Measurement, Row } from './results.js'
import type { Sample } from './sample.js'

const run = promisify(execFile)
const text = 'x'.repeat(100)

export interface ToolsOptions {
  readonly redis: RedisServer | undefined
  readonly postgresUrl: string | undefined
  readonly rounds: number
  readonly milliseconds: number
  readonly signal: AbortSignal
}

interface Tool {
  readonly row: Omit<Row, 'samples'>
  measure(): Promise<Sample>
}

/** What the servers' own tools publish in a second, where the tools are there; nobody listens. */
export async function runTools(given: ToolsOptions): Promise<Measurement> {
  const { rounds, signal } = given
  const folder = mkdtempSync(join(tmpdir(), 'ps-bench-'))
  try {
    const rows: Row[] = []
    for (const { row, measure } of tools(given, folder)) {
      const samples: Sample[] = []
      let error: string | undefined
      for (let round = 0; round < rounds && error === undefined; round += 1) {
        signal.throwIfAborted()
        try {
          samples.push(await measure())
        } catch (cause) {
          error = isMissing(cause)
            ? `${row.contestant.split(',')[0]} is not installed`
            : (describeError(cause).split('\n')[0] ?? '')
        }
      }
      rows.push({ ...row, samples, ...(error !== undefined && { error }) })
    }
    return {
      name: 'tools',
      title: "The servers' own tools, 100 B, nobody listens",
      figure: 'perSecond',
      shows: ['perSecond'],
      rows,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function tools({ redis, postgresUrl, milliseconds, signal }: ToolsOptions, folder: string): readonly Tool[] {
  const found: Tool[] = []
  if (redis !== undefined) {
    const beside = redis.cli === undefined ? '' : join(dirname(redis.cli), 'redis-benchmark')
    const command = existsSync(beside) ? beside : 'redis-benchmark'
    const publish = async (pipeline: number, count: number): Promise<Sample> => {
      const options = ['-p', `${redis.port}`, '-c', '1', '-P', `${pipeline}`, '-n', `${count}`, '--csv']
      const { stdout } = await run(command, [...options, 'publish', 'bench-tool', text], {
        env: redis.environment,
        signal,
      })
      return { perSecond: readNumber(/"?,"([\d.]+)"/, stdout.trim().split('\n').at(-1) ?? '') }
    }
    const row = { backend: 'redis', kind: 'limit', base: false } as const
    found.push(
      {
        row: { ...row, contestant: 'redis-benchmark, 500 a pipeline' },
        measure: () => publish(500, 500 * milliseconds),
      },
      {
        row: { ...row, contestant: 'redis-benchmark, one at a time' },
        measure: () => publish(1, 10 * milliseconds),
      },
    )
  }
  if (postgresUrl !== undefined) {
    const file = join(folder, 'publish.sql')
    writeFileSync(file, `select pg_notify('bench-tool', '${text}');\n`)
    const seconds = Math.max(1, Math.round(milliseconds / 1_000))
    found.push({
      row: { backend: 'postgres', kind: 'limit', base: false, contestant: 'pgbench, one at a time' },
      async measure() {
        const options = ['-n', '-c', '1', '-T', `${seconds}`, '-M', 'prepared', '-f', file, postgresUrl]
        const { stdout } = await run('pgbench', options, { signal })
        return { perSecond: readNumber(/tps = ([\d.]+)/, stdout) }
      },
    })
  }
  return found
}

const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'

function readNumber(pattern: RegExp, output: string): number {
  const found = pattern.exec(output)?.[1]
  if (found === undefined) throw new Error(`it says ${JSON.stringify(output)}`)
  return Number(found)
}
