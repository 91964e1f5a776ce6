import { connect } from 'node:net'

/** A reply of Redis: text, a number, nothing, or a list of these. */
export type RedisReply = string | number | null | RedisReply[]

export interface RedisRequest {
  readonly port: number
  readonly password?: string | undefined
  readonly command: readonly (string | number)[]
}

/** Nothing is waited for longer, in milliseconds. */
const timeout = 5_000

/** Sends one command to a Redis on 127.0.0.1, on a connection of its own. Rejects with what the server refuses. */
export function requestRedis({ port, password, command }: RedisRequest): Promise<RedisReply> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout })
    const commands = [...(password === undefined ? [] : [['AUTH', password]]), command]
    let bytes = Buffer.alloc(0)
    const settle = (): void => {
      const replies: (RedisReply | Error)[] = []
      let at = 0
      for (const _ of commands) {
        const read = readReply(bytes, at)
        if (read === undefined) return
        replies.push(read.reply)
        at = read.end
      }
      socket.destroy()
      const failure = replies.find((reply) => reply instanceof Error)
      if (failure === undefined) resolve(replies.at(-1) as RedisReply)
      else reject(failure)
    }
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      settle()
    })
    socket.on('timeout', () => socket.destroy(new Error(`Redis on port ${port} does not answer`)))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`Redis on port ${port} hung up`)))
    socket.write(commands.map(encode).join(''))
  })
}

const encode = (command: readonly (string | number)[]): string =>
  `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(String(part))}\r\n${part}\r\n`).join('')}`

/** Reads the reply that begins at `from`; gives nothing where it has not arrived in full. */
function readReply(bytes: Buffer, from: number): { reply: RedisReply | Error; end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', from)
  if (lineEnd === -1) return undefined
  const line = bytes.toString('utf8', from + 1, lineEnd)
  const end = lineEnd + 2
  switch (String.fromCharCode(bytes[from] ?? 0)) {
    case '-':
      return { reply: new Error(line), end }
    case ':':
      return { reply: Number(line), end }
    case '$': {
      const length = Number(line)
      if (length === -1) return { reply: null, end }
      if (bytes.length < end + length + 2) return undefined
      return { reply: bytes.toString('utf8', end, end + length), end: end + length + 2 }
    }
    case '*': {
      const items: RedisReply[] = []
      let at = end
      for (let count = Number(line); count > 0; count -= 1) {
        const item = readReply(bytes, at)
        if (item === undefined) return undefined
        items.push(item.reply instanceof Error ? item.reply.message : item.reply)
        at = item.end
      }
      return { reply: items, end: at }
    }
    default:
      return { reply: line, end }
  }
}
