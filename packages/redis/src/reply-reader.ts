import { isUtf8 } from 'node:buffer'

/** An answer of Redis: text, a number, nothing, or a list of these. An error within a list is its text. */
export type Reply = string | number | null | readonly Reply[]

/** What arrives, as it arrives. */
export interface ReplyEvents {
  /** An answer, or an error named `ReplyError`. */
  reply(reply: Reply | Error): void
  /** A list that answers nothing, of RESP 3. */
  push(parts: readonly Reply[]): void
  /** A message. `payload` is `undefined` where it is not UTF-8. */
  message(channel: string, payload: string | undefined): void
}

const newline = 0x0a
const kinds = { number: 0x3a, push: 0x3e, list: 0x2a }
/** What each answer begins with. */
const kindLetters = '+-:,(#_$=*~>%'
/** No line of an answer is longer: what is long has its length before it. */
const maxLineBytes = 64 * 1_024
const messageHeads = ['3\r\n$7\r\nmessage\r\n$', '3\r\n$8\r\nsmessage\r\n$'].map((head) => Buffer.from(head))

interface Read {
  readonly reply: Reply | Error
  readonly end: number
}
/** What has not arrived in full is not before there are so many bytes. */
type Incomplete = number

/**
 * Returns what takes the bytes as they arrive. Throws where they are none of RESP 2 or 3. `listens`: whether
 * a list may be a message, as in RESP 2.
 */
export function createReplyReader(
  events: ReplyEvents,
  { listens }: { listens: boolean },
): (chunk: Buffer) => void {
  // What has not arrived in full, in pieces: joined anew for each piece, a large payload would cost the square of its length.
  let held: Buffer[] = []
  let heldBytes = 0
  let needed = 0

  const hold = (bytes: Buffer, until: Incomplete): void => {
    held = [bytes]
    heldBytes = bytes.length
    needed = until
  }

  /** Gives where it ends, or nothing where there is none in full. */
  const readMessage = (bytes: Buffer, from: number): number | undefined => {
    const head = messageHeads.find((one) => startsWith(bytes, from, one))
    if (head === undefined) return undefined
    const channel = readLength(bytes, from + head.length)
    if (channel === undefined) return undefined
    const payload = readLength(bytes, channel.from + channel.length + 3)
    if (payload === undefined) return undefined
    const end = payload.from + payload.length
    if (bytes.length < end + 2) return undefined
    const text = bytes.toString('utf8', payload.from, end)
    // What is not UTF-8 is replaced by this character, which may also have been sent.
    const isText = !text.includes('\ufffd') || isUtf8(bytes.subarray(payload.from, end))
    events.message(
      bytes.toString('utf8', channel.from, channel.from + channel.length),
      isText ? text : undefined,
    )
    return end + 2
  }

  /** Gives where it ends. */
  const read = (bytes: Buffer, from: number): { end: number } | Incomplete => {
    const kind = bytes[from]
    if (kind === kinds.push || (listens && kind === kinds.list)) {
      const end = readMessage(bytes, from + 1)
      if (end !== undefined) return { end }
    }
    const found = readReply(bytes, from)
    if (typeof found === 'number') return found
    if (kind === kinds.push && Array.isArray(found.reply)) events.push(found.reply as readonly Reply[])
    else events.reply(found.reply)
    return found
  }

  return (chunk) => {
    let bytes = chunk
    if (heldBytes > 0) {
      held.push(chunk)
      heldBytes += chunk.length
      if (heldBytes < needed) return
      bytes = Buffer.concat(held)
      held = []
      heldBytes = 0
    }
    let at = 0
    while (at < bytes.length) {
      const found = read(bytes, at)
      if (typeof found === 'number') return hold(bytes.subarray(at), found - at)
      at = found.end
    }
  }
}

const startsWith = (bytes: Buffer, from: number, head: Buffer): boolean => {
  for (let at = 0; at < head.length; at += 1) if (bytes[from + at] !== head[at]) return false
  return true
}

/** The number that begins at `from`, and where its line ends. */
function readLength(bytes: Buffer, from: number): { length: number; from: number } | undefined {
  let length = 0
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === newline) return { length, from: at + 1 }
    if (byte >= 0x30) length = 10 * length + byte - 0x30
  }
  return undefined
}

function readReply(bytes: Buffer, from: number): Read | Incomplete {
  const lineEnd = bytes.indexOf(newline, from)
  const end = lineEnd + 1
  const kind = bytes[from] ?? 0
  if (lineEnd === -1) {
    // Else whatever stands at the port of a Redis could send without end, and all of it would be kept.
    const isAnswer = kindLetters.includes(String.fromCharCode(kind)) && bytes.length - from <= maxLineBytes
    if (from < bytes.length && !isAnswer) throw noAnswer(bytes.toString('utf8', from))
    return bytes.length + 1
  }
  // What most answers are: the number of those who have heard a message.
  if (kind === kinds.number && bytes[from + 1] !== 0x2d)
    return { reply: readLength(bytes, from + 1)?.length ?? 0, end }
  const line = bytes.toString('utf8', from + 1, lineEnd - 1)
  switch (String.fromCharCode(kind)) {
    case '+':
    case '(':
      return { reply: line, end }
    case '-': {
      // Whoever does not know a command repeats what came with it, which may be a password.
      const error = new Error(line.replace(/, with args beginning with: .*/, ''))
      error.name = 'ReplyError'
      return { reply: error, end }
    }
    case ':':
    case ',':
      return { reply: Number(line), end }
    case '#':
      return { reply: line === 't' ? 1 : 0, end }
    case '_':
      return { reply: null, end }
    case '$':
      return readText(bytes, end, Number(line), 0)
    case '=':
      // Three letters and a colon say what kind of text it is.
      return readText(bytes, end, Number(line), 4)
    case '*':
    case '~':
    case '>':
      return readList(bytes, end, Number(line))
    case '%':
      return readList(bytes, end, 2 * Number(line))
    default:
      throw noAnswer(bytes.toString('utf8', from, lineEnd))
  }
}

const noAnswer = (said: string): Error =>
  new Error(`the server said what is no answer of Redis: ${JSON.stringify(said.trimEnd().slice(0, 40))}`)

function readText(bytes: Buffer, from: number, length: number, skipped: number): Read | Incomplete {
  if (length < 0) return { reply: null, end: from }
  const end = from + length + 2
  return bytes.length < end ? end : { reply: bytes.toString('utf8', from + skipped, from + length), end }
}

function readList(bytes: Buffer, from: number, count: number): Read | Incomplete {
  if (count < 0) return { reply: null, end: from }
  const items: Reply[] = []
  let at = from
  while (items.length < count) {
    const item = readReply(bytes, at)
    if (typeof item === 'number') return item
    items.push(item.reply instanceof Error ? item.reply.message : item.reply)
    at = item.end
  }
  return { reply: items, end: at }
}
