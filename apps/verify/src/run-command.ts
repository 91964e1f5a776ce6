import { spawn } from 'node:child_process'
import { cleanEnvironment } from './clean-environment.js'

export interface CommandOptions {
  readonly folder: string
  /** Added to {@link cleanEnvironment}. */
  readonly environment?: Readonly<Record<string, string>> | undefined
  /** In milliseconds. Default: 600,000, because a build may share its machine. */
  readonly timeout?: number | undefined
  /** Resolve also where it ends with another exit code than 0. Default: `false`. */
  readonly mayFail?: boolean | undefined
}

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. Rejects, with all that it said, where it fails or does not end in time. */
export function runCommand(
  command: string,
  given: readonly string[],
  { folder, environment = {}, timeout = 600_000, mayFail = false }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, given, {
      cwd: folder,
      env: { ...cleanEnvironment(process.env), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0 || (mayFail && signal === null)) resolve({ code, stdout, stderr })
      else
        reject(
          new Error(`${[command, ...given].join(' ')} ended with ${signal ?? code}:\n${stdout}${stderr}`),
        )
    })
  })
}
