import { fork } from 'node:child_process'
import { basename } from 'node:path'
import { withDeadline } from '@ps/services/vitest'

/** A process of a fleet, which answers each order once. */
export interface FleetProcess<Answer> {
  ask(order: 'report' | 'close'): Promise<Answer>
  /** `ask('close')`, and until it has ended by itself. */
  close(): Promise<Answer>
  kill(): void
}

const patience = 20_000

/** Runs a program in a process of its own. Resolves when it says that it is ready. */
export async function startFleetProcess<Answer>(
  file: URL,
  given: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<FleetProcess<Answer>> {
  const { PATH, HOME, TMPDIR } = process.env
  const name = [basename(file.pathname), ...given].join(' ')
  const child = fork(file, given, {
    env: { PATH, HOME, TMPDIR, ...environment },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const answer = <Kind>(what: string): Promise<Kind> => {
    const said = new Promise<Kind>((resolve) => child.once('message', (message) => resolve(message as Kind)))
    const ended = exited.then((code): never => {
      throw new Error(`${name} ended (${code}) before ${what}: ${errors}`)
    })
    return withDeadline(Promise.race([said, ended]), patience, `${name}: ${what}`)
  }
  let turn: Promise<unknown> = answer('its start')
  const ask = (order: 'report' | 'close'): Promise<Answer> => {
    const asked = turn.then(() => {
      const answered = answer<Answer>(`its answer to ${order}`)
      child.send(order)
      return answered
    })
    turn = asked
    return asked
  }
  try {
    await turn
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return {
    ask,
    async close() {
      const last = await ask('close')
      const code = await withDeadline(exited, patience, `${name} to end`)
      if (code !== 0) throw new Error(`${name} ended with exit code ${code}: ${errors}`)
      return last
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
