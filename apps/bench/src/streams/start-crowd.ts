import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withDeadline } from '@ps/services'
import type { CrowdAnswers, CrowdOrder, CrowdReply, CrowdRequest } from './crowd-orders.js'

/** No order takes longer. */
const answerMilliseconds = 180_000
/** Beside what is built, and from the sources. */
const file = ['./streams/crowd.js', '../../dist/streams/crowd.js']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path))

/** The process with the clients. It ends when this process does. */
export interface Crowd {
  order<Kind extends CrowdOrder['kind']>(
    order: CrowdOrder & { readonly kind: Kind },
  ): Promise<CrowdAnswers[Kind]>
  stop(): Promise<void>
}

export async function startCrowd(): Promise<Crowd> {
  if (file === undefined) throw new Error('the clients are not built: run the build first')
  const child = fork(file, {
    // Ctrl-C in the terminal reaches this process only, which ends the others in order.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const pending = new Map<number, (reply: CrowdReply) => void>()
  let last = 0
  const answer = (number: number): Promise<CrowdReply> =>
    new Promise((resolve) => void pending.set(number, resolve))
  child.on('message', (reply: CrowdReply) => {
    pending.get(reply.number)?.(reply)
    pending.delete(reply.number)
  })
  const exited = new Promise<void>((resolve) => void child.on('exit', () => resolve()))
  const gone = exited.then((): never => {
    throw new Error('the process with the clients has ended')
  })
  gone.catch(() => {})
  await Promise.race([answer(0), gone])

  return {
    async order(order) {
      last += 1
      const answered = answer(last)
      child.send({ number: last, order } satisfies CrowdRequest)
      const reply = await withDeadline(
        Promise.race([answered, gone]),
        answerMilliseconds,
        `the clients: ${order.kind}`,
      )
      if ('error' in reply) throw new Error(reply.error)
      return reply.value as CrowdAnswers[typeof order.kind]
    },
    async stop() {
      if (child.connected) child.disconnect()
      await exited
    },
  }
}
