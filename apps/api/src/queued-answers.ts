import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Answers to requests that came on a connection before the one in front of them was answered. */
export interface QueuedAnswers {
  /** To be called when a request comes: its answer is closed with its connection, as any other. */
  watch(connection: Socket, answer: ServerResponse): void
}

/** Node.js closes only the answer in front: for those behind it a client that has gone would be there for ever. */
export function createQueuedAnswers(): QueuedAnswers {
  const queues = new WeakMap<Socket, Set<ServerResponse>>()

  const open = (connection: Socket): Set<ServerResponse> => {
    const queue = new Set<ServerResponse>()
    queues.set(connection, queue)
    connection.once('close', () => {
      for (const answer of queue) {
        // Its turn had come.
        if (answer.socket !== null) continue
        answer.destroy()
        answer.emit('close')
      }
    })
    return queue
  }

  return {
    watch(connection, answer) {
      if (answer.socket !== null) return
      const queue = queues.get(connection) ?? open(connection)
      queue.add(answer)
      answer.once('close', () => queue.delete(answer))
    },
  }
}
