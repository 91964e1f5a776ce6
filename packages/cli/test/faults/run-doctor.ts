import { fileURLToPath } from 'node:url'
import { spawnProgram } from '@ps/services/vitest'

const file = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface JsonFinding {
  readonly code: string
  readonly backend: string | null
  readonly severity: 'ok' | 'warning' | 'problem'
  readonly message: string
  readonly fix: string | null
}

/** What `pubsub doctor --json` has said. */
export interface DoctorRun {
  readonly code: number | null
  readonly versions: Record<string, string>
  readonly plan: { readonly backends: string[]; readonly explanation: string } | null
  readonly findings: readonly JsonFinding[]
  readonly roundTrips: readonly {
    readonly backend: string
    readonly messages: number
    readonly p50: number
  }[]
  readonly traffic: { readonly backend: string } | null
  /** All that went to standard output and standard error. */
  readonly output: string
  /** What is not well, in the order of the examination. */
  readonly complaints: readonly JsonFinding[]
}

export async function runDoctor(
  environment: Readonly<Record<string, string>>,
  ...given: readonly string[]
): Promise<DoctorRun> {
  const program = spawnProgram(file, ['doctor', '--json', ...given], { environment })
  const { code } = await program.exited
  const said = JSON.parse(program.stdout()) as Omit<DoctorRun, 'code' | 'output' | 'complaints'>
  return {
    ...said,
    code,
    output: program.stdout() + program.stderr(),
    complaints: said.findings.filter(({ severity }) => severity !== 'ok'),
  }
}
