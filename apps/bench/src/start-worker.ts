import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answers, Order, Reply, Request, WorkerOptions } from './orders.js'

/** No order takes longer than so many milliseconds beyond the time that it is to take. */
const answerMilliseconds = 60_000

/** A process of a contestant. It ends when this process does. */
export interface Worker {
  /** Rejects where it fails, has ended, or does not answer. */
  order<Kind extends Order['kind']>(order: Order & { readonly kind: Kind }): Promise<Answers[Kind]>
  stop(): Promise<void>
}

export async function startWorker(options: WorkerOptions, nodeArguments: readonly string[]): Promise<Worker> {
  const { backend, contestant, role } = options
  const name = `${contestant} on ${backend} (${role})`
  const child = fork(fileURLToPath(new URL('worker.js', import.meta.url)), [JSON.stringify(options)], {
    execArgv: ['--expose-gc', ...nodeArguments],
    // Ctrl-C in the terminal reaches this process only, which ends the others in order.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4_096)
  })
  const pending = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()
  let last = 0
  let ended = false

  const answer = <Value>(number: number): Promise<Value> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        pending.get(number)?.reject(new Error(`${name} does not answer: ${errors}`))
        child.kill('SIGKILL')
      }, answerMilliseconds)
      const settle = (): void => {
        clearTimeout(late)
        pending.delete(number)
      }
      pending.set(number, {
        resolve(value: Value) {
          settle()
          resolve(value)
        },
        reject(error) {
          settle()
          reject(error)
        },
      })
    })
  child.on('message', (message: Reply) => {
    const { number } = message
    if ('error' in message) pending.get(number)?.reject(new Error(`${name}: ${message.error}`))
    else pending.get(number)?.resolve(message.value as never)
  })
  const exited = new Promise<void>((resolve) => {
    // Not on `close`, which does not always come after `disconnect()`.
    child.on('exit', (code) => {
      ended = true
      for (const { reject } of pending.values()) reject(new Error(`${name} ended with ${code}: ${errors}`))
      resolve()
    })
  })
  await answer(0)

  return {
    order(order) {
      if (ended) return Promise.reject(new Error(`${name} has ended: ${errors}`))
      last += 1
      const answered = answer<Answers[typeof order.kind]>(last)
      child.send({ number: last, order } satisfies Request)
      return answered
    },
    async stop() {
      if (child.connected) child.disconnect()
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await exited
      clearTimeout(late)
    },
  }
}
