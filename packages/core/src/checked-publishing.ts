import { settledWithin } from './deadline.js'
import { PubSubError } from './errors.js'
import type { Check, Verdict } from './message-check.js'
import type { MessageText } from './message-text.js'
import { describeIssues } from './schema-issues.js'

export interface CheckedPublishingOptions {
  /** Milliseconds after which a message that its schema says nothing of resolves `false`. */
  readonly publishTimeout: number
  /** The most messages, and bytes, that may wait for their schemas. */
  readonly maxMessages: number
  readonly maxBytes: number
  /** A publish resolves `false`; the error says why. */
  readonly onFailed: (error: PubSubError) => void
}

/** Publishes what fits its schema: at once, or in the order of the calls where a schema takes its time. */
export interface CheckedPublishing {
  /** `send` publishes it. Throws `invalid_message`, or rejects with it. */
  publish(channel: string, message: MessageText, check: Check, send: () => Promise<boolean>): Promise<boolean>
  /** Resolves when no schema is waited for, after `deadline` milliseconds at the latest; what is left then resolves `false`. */
  flush(deadline: number): Promise<void>
}

export function createCheckedPublishing(options: CheckedPublishingOptions): CheckedPublishing {
  const { publishTimeout, maxMessages, maxBytes, onFailed } = options
  // By channel, the end of the turn of the message that waits last. None of them rejects.
  const lastTurns = new Map<string, Promise<void>>()
  // What gives up those that wait.
  const waiting = new Set<() => void>()
  let bytes = 0

  /** `undefined` where there is none in time. */
  const answerOf = (
    verdict: Verdict | Promise<Verdict>,
    turn: Promise<void> | undefined,
  ): Promise<Verdict | undefined> =>
    new Promise((resolve) => {
      const end = (answer?: Verdict): void => {
        clearTimeout(timer)
        waiting.delete(giveUp)
        resolve(answer)
      }
      const giveUp = (): void => end()
      const timer = setTimeout(giveUp, publishTimeout)
      waiting.add(giveUp)
      void Promise.all([verdict, turn]).then(([answer]) => end(answer))
    })

  const fail = (error: PubSubError): Promise<boolean> => {
    onFailed(error)
    return Promise.resolve(false)
  }

  const takeTurn = async (
    channel: string,
    answering: Promise<Verdict | undefined>,
    send: () => Promise<boolean>,
  ): Promise<{ readonly outcome: Promise<boolean> }> => {
    const answer = await answering
    if (answer === undefined) {
      const words = `the schema of channel ${JSON.stringify(channel)} gave no answer within ${publishTimeout} ms, or before the client was closed`
      return { outcome: fail(new PubSubError('timeout', words, { channel })) }
    }
    assertFits(channel, answer)
    // Not awaited here: the next one follows as soon as this one is given away.
    return { outcome: send() }
  }

  return {
    publish(channel, message, check, send) {
      // What the listeners will check.
      const verdict = check(JSON.parse(message.text))
      const turn = lastTurns.get(channel)
      if (turn === undefined && !('then' in verdict)) {
        assertFits(channel, verdict)
        return send()
      }
      if (waiting.size + 1 > maxMessages || bytes + message.bytes > maxBytes) {
        const words = `${waiting.size} messages (${bytes} bytes) already wait for their schemas: publish more slowly`
        return fail(new PubSubError('queue_full', words, { channel, limit: maxBytes, actual: bytes }))
      }
      bytes += message.bytes
      const taken = takeTurn(channel, answerOf(verdict, turn), send)
      const end = (): void => {
        bytes -= message.bytes
        if (lastTurns.get(channel) === ended) lastTurns.delete(channel)
      }
      const ended = taken.then(end, end)
      lastTurns.set(channel, ended)
      return taken.then(({ outcome }) => outcome)
    },
    async flush(deadline) {
      if (lastTurns.size === 0) return
      await settledWithin(Promise.all(lastTurns.values()), deadline)
      for (const giveUp of waiting) giveUp()
    },
  }
}

function assertFits(channel: string, verdict: Verdict): void {
  if (verdict.issues === undefined) return
  const { issues, cause } = verdict
  const words = `the message does not fit the schema of channel ${JSON.stringify(channel)}: ${describeIssues(issues)}`
  throw new PubSubError('invalid_message', words, { channel, issues, ...(cause !== undefined && { cause }) })
}
