import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** The broker of docs/write-a-backend.md, on 127.0.0.1. */
export interface TcpBroker {
  readonly port: number
  /** Ends it as a crash would: connections break, and new ones are refused. */
  stop(): Promise<void>
  /** Starts it again on the same port. Does nothing where it runs. */
  start(): Promise<void>
  /** How many connections are subscribed to the channel. */
  subscriptions(channel: string): number
}

interface Command {
  readonly id: number
  readonly op: 'subscribe' | 'unsubscribe' | 'publish' | 'ping'
  readonly channels?: readonly string[]
  readonly channel?: string
  readonly payload?: string
}

export async function startTcpBroker(): Promise<TcpBroker> {
  const channelsOf = new Map<Socket, Set<string>>()

  const obey = (socket: Socket, own: Set<string>, command: Command): void => {
    const { id, op, channels = [], channel, payload } = command
    if (op === 'subscribe') for (const one of channels) own.add(one)
    if (op === 'unsubscribe') for (const one of channels) own.delete(one)
    if (op === 'publish' && channel !== undefined) {
      const push = `${JSON.stringify({ channel, payload })}\n`
      for (const [subscriber, wanted] of channelsOf) if (wanted.has(channel)) subscriber.write(push)
    }
    socket.write(`${JSON.stringify({ id })}\n`)
  }

  const serve = (socket: Socket): void => {
    const channels = new Set<string>()
    let rest = ''
    channelsOf.set(socket, channels)
    socket.setNoDelay(true).setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) obey(socket, channels, JSON.parse(line) as Command)
    })
    socket.on('error', () => {})
    socket.on('close', () => channelsOf.delete(socket))
  }

  const server = createServer(serve)

  const listen = async (at: number): Promise<number> => {
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return address !== null && typeof address === 'object' ? address.port : 0
  }

  const port = await listen(0)
  return {
    port,
    async stop() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of channelsOf.keys()) socket.resetAndDestroy()
      await closed
    },
    async start() {
      if (!server.listening) await listen(port)
    },
    subscriptions: (channel) => [...channelsOf.values()].filter((channels) => channels.has(channel)).length,
  }
}
