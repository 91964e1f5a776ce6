import { type ChildProcess, spawn } from 'node:child_process'
import { waitFor } from './wait-for.js'

export interface ProgramOptions {
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
  readonly workingDirectory?: string | undefined
  /** What it reads from its standard input. Default: nothing. */
  readonly input?: string | undefined
  /** Whether its standard input stays open, for `process.stdin`. Default: `false`. */
  readonly interactive?: boolean | undefined
}

export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A program that a test has started. */
export interface Program {
  readonly process: ChildProcess
  stdout(): string
  stderr(): string
  /** Waits until its output (either stream) matches. Rejects, with the output, when it ends before or the time is over. */
  waitForOutput(pattern: RegExp, timeout?: number): Promise<RegExpMatchArray>
  readonly exited: Promise<ProgramEnd>
  /** Sends the signal (default SIGTERM) and waits until it has ended. */
  stop(signal?: NodeJS.Signals): Promise<ProgramEnd>
}

/** Runs a JavaScript file in a process of its own. Only what `environment` says is added to a minimal environment. */
export const spawnProgram = (
  file: string,
  given: readonly string[] = [],
  options: ProgramOptions = {},
): Program => spawnCommand(process.execPath, [file, ...given], options)

/** Runs any command as {@link spawnProgram} does. */
export function spawnCommand(
  command: string,
  given: readonly string[] = [],
  { environment = {}, workingDirectory, input, interactive = false }: ProgramOptions = {},
): Program {
  const { PATH, HOME, TMPDIR, CI, LANG } = process.env
  const child = spawn(command, given, {
    cwd: workingDirectory,
    env: { PATH, HOME, TMPDIR, CI, LANG, ...environment },
    stdio: [input === undefined && !interactive ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  let ended: ProgramEnd | undefined
  // A character may come in two pieces.
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  // It may have ended before it has read all.
  child.stdin?.on('error', () => {})
  if (!interactive) child.stdin?.end(input)
  const exited = new Promise<ProgramEnd>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      ended = { code, signal }
      resolve(ended)
    })
  })
  return {
    process: child,
    stdout: () => out,
    stderr: () => err,
    exited,
    async waitForOutput(pattern, timeout = 15_000) {
      const find = (): RegExpMatchArray | null => out.match(pattern) ?? err.match(pattern)
      try {
        await waitFor(() => find() ?? ended, { timeout })
      } catch (cause) {
        throw new Error(`no output matched ${String(pattern)} within ${timeout} ms:\n${out}${err}`, { cause })
      }
      const match = find()
      if (match === null)
        throw new Error(
          `the program ended (${JSON.stringify(ended)}) before ${String(pattern)}:\n${out}${err}`,
        )
      return match
    },
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return exited
    },
  }
}
