import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface ChildOptions<Message> {
  /** A built file next to this one: `publisher.js`. */
  readonly file: string
  readonly argument?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly onMessage: (message: Message) => void
}

/** A process of ours, at the other end of a channel. It ends when this process does. */
export interface Child {
  send(message: object): void
  /** What it has written on standard error, the last 8 kB. */
  errors(): string
  /** Resolves with the exit code; `null` where a signal ended it. */
  readonly exited: Promise<number | null>
  hasExited(): boolean
  kill(): void
}

const maxErrors = 8_192

export function startChild<Message>(options: ChildOptions<Message>): Child {
  const child = fork(
    fileURLToPath(new URL(options.file, import.meta.url)),
    options.argument === undefined ? [] : [options.argument],
    {
      execArgv: ['--expose-gc'],
      env: { ...process.env, ...options.environment },
      // Ctrl-C in the terminal reaches this process only, which ends the others in order.
      detached: true,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    },
  )
  let errors = ''
  let ended = false
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-maxErrors)
  })
  child.on('message', (message) => options.onMessage(message as Message))
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      ended = true
      resolve(code)
    })
  })
  return {
    send(message) {
      // One that has just ended takes nothing more, which its exit code tells.
      if (child.connected) child.send(message, () => {})
    },
    errors: () => errors,
    exited,
    hasExited: () => ended,
    kill: () => void child.kill('SIGKILL'),
  }
}
