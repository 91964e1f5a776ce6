import { fork } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Usage } from './observe.js'
import { waitFor, withDeadline } from './wait-for.js'

export interface ObservedProcessOptions {
  /** A JavaScript file. */
  readonly file: string
  readonly arguments?: readonly string[] | undefined
  /** Added to a minimal environment. */
  readonly environment?: Readonly<Record<string, string>> | undefined
  /** For Node.js. */
  readonly nodeArguments?: readonly string[] | undefined
}

/** A program of Node.js as it is, of which we know what it uses. It ends when this process does. */
export interface ObservedProcess {
  readonly processId: number
  /** What it has written, the last 64 kB. */
  output(): string
  /** Waits until its output matches. Rejects, with the output, where it ends before. */
  waitForOutput(pattern: RegExp): Promise<RegExpMatchArray>
  /** Default: as it is, without a collection before. */
  usage(options?: { readonly collect: boolean }): Promise<Usage>
  /** From now on `peak` is of what comes. On Linux only. */
  resetPeak(): void
  /** The most resident memory, in bytes; `undefined` where the system does not tell. */
  peak(): number | undefined
  hasExited(): boolean
  /** Ends it in good order, by force after a few seconds. */
  stop(): Promise<void>
}

const maxOutput = 64 * 1024
const answerMilliseconds = 60_000
const stopMilliseconds = 15_000
// Next to this file when built; the tests of this package run it from the sources' side.
const observer = [
  new URL('observe.js', import.meta.url),
  new URL('../dist/observe.js', import.meta.url),
].find((url) => existsSync(fileURLToPath(url)))

export async function startObservedProcess({
  file,
  arguments: given = [],
  environment = {},
  nodeArguments = [],
}: ObservedProcessOptions): Promise<ObservedProcess> {
  if (observer === undefined) throw new Error('the observer is not built: run the build first')
  const name = `${basename(dirname(dirname(file)))}/${basename(file)}`
  const { PATH, HOME, TMPDIR, CI, LANG } = process.env
  const child = fork(file, given, {
    execArgv: ['--expose-gc', '--import', observer.href, ...nodeArguments],
    env: { PATH, HOME, TMPDIR, CI, LANG, ...environment },
    // Ctrl-C in the terminal reaches this process only, which ends the others in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  let ended = false
  let last = 0
  const asked = new Map<number, (usage: Usage) => void>()
  for (const stream of [child.stdout, child.stderr]) {
    // A character may come in two pieces.
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-maxOutput)
    })
  }
  child.on('message', ({ number, usage }: { readonly number: number; readonly usage: Usage }) => {
    asked.get(number)?.(usage)
    asked.delete(number)
  })
  const exited = new Promise<void>((resolve) => {
    child.on('exit', () => {
      ended = true
      resolve()
    })
  })
  await new Promise<void>((resolve, reject) => {
    child.on('spawn', resolve)
    child.on('error', reject)
  })
  const { pid: processId } = child
  if (processId === undefined) throw new Error(`${file} has no process`)
  // Behind all that it has written.
  const gone = new Promise<never>((_, reject) => {
    child.on('close', () => reject(new Error(`${name} has ended: ${output}`)))
  })
  gone.catch(() => {})
  const isLinux = process.platform === 'linux'

  return {
    processId,
    output: () => output,
    async waitForOutput(pattern) {
      const find = (): RegExpMatchArray | null => output.match(pattern)
      const found = waitFor(find, { timeout: 30_000, what: `${String(pattern)} of ${name}` })
      // What it has written last may not have been looked at.
      const foundAtLast = gone.catch((end: unknown): RegExpMatchArray => {
        const match = find()
        if (match === null) throw end
        return match
      })
      return Promise.race([found, foundAtLast])
    },
    usage({ collect } = { collect: false }) {
      last += 1
      const number = last
      const answer = new Promise<Usage>((resolve) => void asked.set(number, resolve))
      child.send({ number, collect })
      return withDeadline(Promise.race([answer, gone]), answerMilliseconds, `${name} to answer`)
    },
    resetPeak() {
      if (isLinux) writeFileSync(`/proc/${processId}/clear_refs`, '5')
    },
    peak() {
      if (!isLinux) return undefined
      const [, kilobytes] =
        /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8')) ?? []
      return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
    },
    hasExited: () => ended,
    async stop() {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds)
      await exited
      clearTimeout(late)
    },
  }
}
