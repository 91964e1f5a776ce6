import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withDeadline } from './wait-for.js'

export interface GuardedProcessOptions {
  readonly command: string
  readonly arguments: readonly string[]
  /** The user to run as; default: the one that we are. */
  readonly userId?: number | undefined
  readonly environment?: NodeJS.ProcessEnv | undefined
  /** Removed where this process goes without stopping the server. */
  readonly temporaryFolders?: readonly string[] | undefined
  /** Given what it writes, as it comes. */
  readonly onOutput?: ((text: string) => void) | undefined
}

/** A server that ends when this process does, even where this process is killed. */
export interface GuardedProcess {
  /** The server's own process id. */
  readonly processId: number
  /** Resolves with the exit code; 128 where a signal ended it. */
  readonly exited: Promise<number>
  hasExited(): boolean
  /** What it has written, the last 64 kB. */
  output(): string
  kill(signal: NodeJS.Signals): void
  /** Ends it in good order, by force after a few seconds. */
  stop(): Promise<void>
}

const maxOutput = 64 * 1024
// Next to this file when built; the tests of this package run it from the sources' side.
const guardFile = [new URL('guard.js', import.meta.url), new URL('../dist/guard.js', import.meta.url)]
  .map((url) => fileURLToPath(url))
  .find((file) => existsSync(file))

export async function startGuardedProcess({
  command,
  arguments: given,
  userId,
  environment,
  temporaryFolders = [],
  onOutput,
}: GuardedProcessOptions): Promise<GuardedProcess> {
  if (guardFile === undefined) throw new Error('the guard is not built: run the build first')
  // A session of its own: Ctrl-C in the terminal reaches us, and we stop the servers when it is their turn.
  const guard = spawn(
    process.execPath,
    [
      guardFile,
      userId === undefined ? '' : String(userId),
      JSON.stringify(temporaryFolders),
      command,
      ...given,
    ],
    {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      detached: true,
      ...(environment && { env: environment }),
    },
  )
  let output = ''
  const collect = (text: string): void => {
    output = (output + text).slice(-maxOutput)
    onOutput?.(text)
  }
  // A character may come in two pieces.
  guard.stdout.setEncoding('utf8').on('data', collect)
  guard.stderr.setEncoding('utf8').on('data', collect)
  let ended = false
  const exited = new Promise<number>((resolve) => {
    guard.on('close', (code) => {
      ended = true
      resolve(code ?? 128)
    })
  })
  const processId = await withDeadline(
    new Promise<number>((resolve, reject) => {
      guard.stdio[3]?.once('data', (chunk: Buffer) => resolve(Number(chunk.toString().trim())))
      guard.on('error', reject)
      void exited.then(() => reject(new Error(`${command} ended at once: ${output}`)))
    }),
    10_000,
    `${command} to start`,
  )
  guard.stdin.on('error', () => {})
  // The server must not keep a program alive that has nothing else to do.
  guard.unref()
  for (const stream of guard.stdio) (stream as unknown as { unref?: () => void } | null)?.unref?.()

  return {
    processId,
    exited,
    hasExited: () => ended,
    output: () => output,
    kill(signal) {
      if (!ended) process.kill(processId, signal)
    },
    async stop() {
      guard.ref()
      guard.stdin.end('.')
      await exited
    },
  }
}
