import type { Backend } from './backend.js'
import { describeError } from './errors.js'

/**
 * Says what has become of a message that was given away with `ticket`: without an error it was accepted. It does not throw,
 * and may itself give away the next message.
 */
export type Settled = (ticket: unknown, error?: Error) => void

/** Gives a message away as {@link Backend.send} does. */
export type Send = (channel: string, payload: string, settled: Settled, ticket: unknown) => void

/** `Backend.publish` of a backend that has a `send`. */
export const publishBySending =
  (send: Send): Backend['publish'] =>
  (channel, payload) =>
    new Promise((resolve, reject) => {
      const settled: Settled = (_, error) => (error === undefined ? resolve() : reject(error))
      send(channel, payload, settled, undefined)
    })

/** `Backend.send` of a backend that has none. */
export const sendByPublishing =
  (backend: Backend): Send =>
  (channel, payload, settled, ticket) =>
    void backend.publish(channel, payload).then(
      () => settled(ticket),
      (error: unknown) => settled(ticket, error instanceof Error ? error : new Error(describeError(error))),
    )
