import type { Socket } from 'node:net'
import type { Send, Settled } from '@ps/core'
import { isRedirect, publishFailure } from './failures.js'
import { createReplyReader, type Reply } from './reply-reader.js'

/** Commands are handed to the system when they are so long together, in characters, so that the server can begin. */
const writeLength = 64 * 1_024
/** So many settled commands may stand before those that wait for their answers. */
const maxSettled = 1_024

/** Commands over a socket, which the server answers in order. */
export interface CommandStream {
  /**
   * Sends a command, together with the others of this turn of the event loop. Rejects with what the server answers (an error
   * named `ReplyError`), or with what `fail` is given.
   */
  call(...parts: readonly string[]): Promise<Reply>
  /** `PUBLISH`; an error says what it means for the message. */
  readonly send: Send
  /** Resolves when all has been answered, or has failed. */
  idle(): Promise<void>
  /** Rejects all that is not answered. Nothing may be called any more. */
  fail(error: Error): void
}

interface Message {
  readonly channel: string
  readonly settled: Settled
  readonly ticket: unknown
}

interface Question {
  readonly channel: undefined
  /** What it asks for. A subscription is answered by a push that says the same. */
  readonly parts: readonly string[]
  /** Whether a push has said what it asks for: its answer, or what the server had said unasked just before. */
  isSaid: boolean
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

type Waiting = Message | Question

export interface CommandStreamEvents {
  /** What has arrived is no answer. */
  broken(error: Error): void
}

/** For a connection that listens. */
export interface ListeningEvents {
  /** A message. `payload` is `undefined` where it is not UTF-8. */
  message(channel: string, payload: string | undefined): void
  /** The server has ended a subscription that `SSUBSCRIBE` made, unasked: the channel has moved to another node. */
  moved(channel: string): void
}

const ping = '*1\r\n$4\r\nPING\r\n'
const ignore = (): void => {}
/**
 * A PING goes behind it. Where its slot moves meanwhile, the server says unasked what looks like the answer, and then refuses
 * the command: only behind both is it clear which it was.
 */
const isFenced = (one: Waiting | undefined): one is Question =>
  one !== undefined && one.channel === undefined && one.parts[0] === 'SUNSUBSCRIBE'
const subscriptionKinds = new Set(['subscribe', 'unsubscribe', 'ssubscribe', 'sunsubscribe'])

/**
 * Takes a socket over, on which nothing has been said.
 *
 * A driver makes an object, a promise and a write of each command; without them a message costs the publishing process less
 * than half (`docs/performance.md`).
 */
export function createCommandStream(
  socket: Socket,
  { broken }: CommandStreamEvents,
  listening?: ListeningEvents,
): CommandStream {
  let waiting: (Waiting | undefined)[] = []
  let head = 0
  let commands = ''
  let isAscii = true
  let scheduled = false
  let failure: Error | undefined
  let onIdle = (): void => {}
  // One program publishes on the same channel again and again.
  let lastChannel = ''
  let lastHead = ''
  let lastIsAscii = true

  const write = (): void => {
    if (commands === '') return
    // Twice as fast where each character is a byte.
    socket.write(commands, isAscii ? 'latin1' : 'utf8')
    commands = ''
    isAscii = true
  }

  const flush = (): void => {
    scheduled = false
    if (failure === undefined) write()
  }

  const refuse = (one: Waiting, error: Error): void => {
    if (one.channel === undefined) one.reject(error)
    else one.settled(one.ticket, publishFailure(error, one.channel))
  }

  const settle = (reply: Reply | Error): void => {
    const next = waiting[head]
    if (next === undefined) throw new Error('the server answered what was not asked')
    waiting[head] = undefined
    head += 1
    if (head === waiting.length || head > maxSettled) {
      waiting = waiting.slice(head)
      head = 0
    }
    if (reply instanceof Error) refuse(next, reply)
    else if (next.channel === undefined) next.resolve(reply)
    else next.settled(next.ticket)
    if (waiting.length === 0) onIdle()
  }

  const push = ([kind, channel]: readonly Reply[]): void => {
    if (typeof kind !== 'string' || typeof channel !== 'string' || !subscriptionKinds.has(kind)) return
    const next = waiting[head]
    const asked =
      next !== undefined &&
      next.channel === undefined &&
      next.parts[0]?.toLowerCase() === kind &&
      next.parts[1] === channel
    if (asked && isFenced(next)) next.isSaid = true
    else if (asked) settle(null)
    else if (kind === 'sunsubscribe') listening?.moved(channel)
  }

  /** In RESP 2 what is pushed looks like an answer. */
  const isPushed = (reply: Reply | Error): reply is readonly Reply[] =>
    listening !== undefined && Array.isArray(reply) && subscriptionKinds.has(String(reply[0]))

  const answer = (reply: Reply | Error): void => {
    if (isPushed(reply)) return push(reply)
    const next = waiting[head]
    // This is the fence, and no answer comes any more; but for a redirection, which only the command itself brings.
    if (isFenced(next) && next.isSaid && !isRedirect(reply)) settle(null)
    settle(reply)
  }

  const message = (channel: string, payload: string | undefined): void => listening?.message(channel, payload)
  const read = createReplyReader({ reply: answer, push, message }, { listens: listening !== undefined })
  socket.removeAllListeners('data')
  socket.on('data', (chunk: Buffer) => {
    if (failure !== undefined) return
    try {
      read(chunk)
    } catch (error) {
      broken(error instanceof Error ? error : new Error(String(error)))
    }
  })

  const enqueue = (command: string, one: Waiting): void => {
    waiting.push(one)
    commands += command
    if (commands.length > writeLength) {
      write()
    } else if (!scheduled) {
      scheduled = true
      process.nextTick(flush)
    }
  }

  const encode = (part: string): string => {
    const bytes = Buffer.byteLength(part)
    if (bytes !== part.length) isAscii = false
    return `$${bytes}\r\n${part}\r\n`
  }

  const enter = (channel: string): void => {
    const before = isAscii
    isAscii = true
    lastHead = `*3\r\n$7\r\nPUBLISH\r\n${encode(channel)}`
    lastChannel = channel
    lastIsAscii = isAscii
    isAscii = before
  }

  return {
    call(...parts) {
      if (failure !== undefined) return Promise.reject(failure)
      const command = `*${parts.length}\r\n${parts.map(encode).join('')}`
      return new Promise((resolve, reject) => {
        const question: Question = { channel: undefined, parts, isSaid: false, resolve, reject }
        enqueue(command, question)
        if (isFenced(question))
          enqueue(ping, { ...question, parts: ['PING'], resolve: ignore, reject: ignore })
      })
    },
    send(channel, payload, settled, ticket) {
      if (failure !== undefined) {
        const refused = publishFailure(failure, channel)
        return queueMicrotask(() => settled(ticket, refused))
      }
      if (channel !== lastChannel) enter(channel)
      if (!lastIsAscii) isAscii = false
      enqueue(lastHead + encode(payload), { channel, settled, ticket })
    },
    async idle() {
      if (waiting.length === 0) return
      await new Promise<void>((resolve) => {
        onIdle = resolve
      })
    },
    fail(error) {
      failure = error
      const unanswered = waiting.slice(head)
      waiting = []
      head = 0
      for (const one of unanswered) if (one !== undefined) refuse(one, error)
      onIdle()
    },
  }
}
