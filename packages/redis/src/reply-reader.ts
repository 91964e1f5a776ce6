/** An answer of Redis: text, a number, nothing, or a list of these. An error within a list is its text. */
export type Reply = string | number | null | readonly Reply[]

const number = 0x3a
const lineEnd = 0x0a

interface Read {
  readonly reply: Reply | Error
  readonly end: number
}

/**
 * Returns what takes the bytes as they arrive; `onReply` gets each answer, or an error named `ReplyError`. What arrives throws
 * where it is none of RESP 2 or 3.
 */
export function createReplyReader(onReply: (reply: Reply | Error) => void): (chunk: Buffer) => void {
  let rest: Buffer | undefined
  return (chunk) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    rest = undefined
    let at = 0
    while (at < bytes.length) {
      const found = readReply(bytes, at)
      if (found === undefined) {
        rest = bytes.subarray(at)
        return
      }
      at = found.end
      onReply(found.reply)
    }
  }
}

/** Gives nothing where the answer that begins at `from` has not arrived in full. */
function readReply(bytes: Buffer, from: number): Read | undefined {
  const newline = bytes.indexOf(lineEnd, from)
  if (newline === -1) return undefined
  const end = newline + 1
  const kind = bytes[from] ?? 0
  // Of digits alone, which most answers are.
  if (kind === number && newline - from < 9) return { reply: smallNumber(bytes, from + 1, newline - 1), end }
  const line = bytes.toString('utf8', from + 1, newline - 1)
  switch (String.fromCharCode(kind)) {
    case '+':
    case '(':
      return { reply: line, end }
    case '-': {
      const error = new Error(line)
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
      // Three letters say what kind of text it is.
      return readText(bytes, end, Number(line), 4)
    case '*':
    case '~':
      return readList(bytes, end, Number(line))
    case '%':
      return readList(bytes, end, 2 * Number(line))
    default:
      throw new Error(`the server said what is no answer of Redis: ${JSON.stringify(line.slice(0, 40))}`)
  }
}

function smallNumber(bytes: Buffer, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return Number(bytes.toString('latin1', from, to))
    value = 10 * value + digit
  }
  return value
}

function readText(bytes: Buffer, from: number, length: number, skipped: number): Read | undefined {
  if (length < 0) return { reply: null, end: from }
  const end = from + length + 2
  if (bytes.length < end) return undefined
  return { reply: bytes.toString('utf8', from + skipped, from + length), end }
}

function readList(bytes: Buffer, from: number, count: number): Read | undefined {
  if (count < 0) return { reply: null, end: from }
  const items: Reply[] = []
  let at = from
  while (items.length < count) {
    const item = at < bytes.length ? readReply(bytes, at) : undefined
    if (item === undefined) return undefined
    items.push(item.reply instanceof Error ? item.reply.message : item.reply)
    at = item.end
  }
  return { reply: items, end: at }
}
