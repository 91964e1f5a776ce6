import { once } from 'node:events'
import { connect } from 'node:net'
import { type Adapter, notFor, type Role } from '../adapter.js'
import { createDispatch } from '../dispatch.js'

/** What a socket of Node can do with PUBLISH: one write a turn of the event loop, and no more protocol than it takes. */
export async function connectRedisSocket(url: string, role: Role): Promise<Adapter> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  const waiting: (() => void)[] = []
  let head = 0
  let commands = ''

  const settle = (): void => {
    waiting[head]?.()
    head += 1
    if (head < 4_096) return
    waiting.splice(0, head)
    head = 0
  }
  const command = (text: string): Promise<void> =>
    new Promise((resolve) => {
      if (commands === '') process.nextTick(flush)
      commands += text
      waiting.push(resolve)
    })
  const flush = (): void => {
    socket.write(commands)
    commands = ''
  }
  const close = async (): Promise<void> => {
    socket.destroy()
  }

  if (role === 'publish') {
    socket.on('data', (chunk) => {
      // Each answer is `:1\r\n`.
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) settle()
    })
    return {
      publish(channel, message) {
        const text = JSON.stringify(message)
        return command(
          `*3\r\n$7\r\nPUBLISH\r\n$${Buffer.byteLength(channel)}\r\n${channel}\r\n$${Buffer.byteLength(text)}\r\n${text}\r\n`,
        )
      },
      listen: notFor('listen'),
      close,
    }
  }

  const dispatch = createDispatch()
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (;;) {
      const push = readPush(bytes, at)
      if (push === undefined) break
      at = push.end
      if (push.kind === 'subscribe') settle()
      else dispatch.payload(push.channel, push.text)
    }
    rest = bytes.subarray(at)
  })
  return {
    publish: notFor('publish'),
    async listen(channel, hear) {
      if (dispatch.add(channel, hear))
        await command(`*2\r\n$9\r\nSUBSCRIBE\r\n$${Buffer.byteLength(channel)}\r\n${channel}\r\n`)
    },
    close,
  }
}

interface Push {
  readonly kind: string
  readonly channel: string
  readonly text: string
  readonly end: number
}

/** `*3`, two strings, and a string or the number of subscriptions. */
function readPush(bytes: Buffer, from: number): Push | undefined {
  const texts: string[] = []
  let at = bytes.indexOf(10, from) + 1
  if (at === 0) return undefined
  while (texts.length < 3) {
    const lineEnd = bytes.indexOf(13, at)
    if (lineEnd === -1 || lineEnd + 2 > bytes.length) return undefined
    const number = bytes.toString('latin1', at + 1, lineEnd)
    const isString = bytes[at] === 36
    at = lineEnd + 2
    if (!isString) {
      texts.push(number)
      continue
    }
    const end = at + Number(number)
    if (end + 2 > bytes.length) return undefined
    texts.push(bytes.toString('utf8', at, end))
    at = end + 2
  }
  const [kind = '', channel = '', text = ''] = texts
  return { kind, channel, text, end: at }
}
