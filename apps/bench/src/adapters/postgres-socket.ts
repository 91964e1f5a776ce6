import type { Socket } from 'node:net'
import { Client } from 'pg'
import { type Adapter, notFor, type Role } from '../adapter.js'
import { createDispatch } from '../dispatch.js'
import { createFrameReader, frame } from '../postgres-frames.js'

/** As many messages as @ps/postgres puts into one statement. */
const maxBatch = 500
const separator = '\x1f'
const statement = `select count(pg_notify(channel, payload))
  from unnest(string_to_array($1, E'\\x1f'), string_to_array($2, E'\\x1f')) as one (channel, payload)`

interface Waiting {
  readonly channel: string
  readonly text: string
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * What a socket of Node can do with the statement that @ps/postgres publishes with: prepared once, one batch under way, one
 * write a batch. pg logs in, then the socket is taken from it.
 */
export async function connectPostgresSocket(url: string, role: Role): Promise<Adapter> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const socket = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream
  socket.removeAllListeners('data')
  socket.removeAllListeners('end')
  socket.removeAllListeners('close')
  const dispatch = createDispatch()
  let failure: Error | undefined
  let onReady: ((failure?: Error) => void) | undefined
  const read = createFrameReader((type, bytes, from, to) => {
    if (type === 'A') {
      const channelEnd = bytes.indexOf(0, from + 4)
      dispatch.payload(
        bytes.toString('utf8', from + 4, channelEnd),
        bytes.toString('utf8', channelEnd + 1, to - 1),
      )
    } else if (type === 'E') failure = new Error(bytes.toString('utf8', from, to))
    else if (type === 'Z') {
      const settled = onReady
      const reason = failure
      failure = undefined
      settled?.(reason)
    }
  })
  socket.on('data', read)
  const exchange = (bytes: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      onReady = (reason) => (reason === undefined ? resolve() : reject(reason))
      socket.write(bytes)
    })
  const close = async (): Promise<void> => {
    socket.destroy()
  }

  if (role === 'listen') {
    let last: Promise<void> = Promise.resolve()
    return {
      publish: notFor('publish'),
      async listen(channel, hear) {
        if (!dispatch.add(channel, hear)) return
        last = last.then(() => exchange(frame('Q', `listen ${client.escapeIdentifier(channel)}\0`)))
        await last
      },
      close,
    }
  }

  const sync = frame('S', '')
  await exchange(Buffer.concat([frame('P', `publish\0${statement}\0`, Buffer.alloc(2)), sync]))
  const waiting: Waiting[] = []
  let pumping = false
  const execute = Buffer.concat([frame('E', '\0', Buffer.alloc(4)), sync])
  const pump = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, maxBatch)
      const head = Buffer.alloc(4)
      head.writeInt16BE(2, 2)
      const channels = parameter(batch.map(({ channel }) => channel))
      const texts = parameter(batch.map(({ text }) => text))
      try {
        await exchange(
          Buffer.concat([frame('B', '\0publish\0', head, channels, texts, Buffer.alloc(2)), execute]),
        )
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error as Error)
      }
    }
    pumping = false
  }
  return {
    publish: (channel, message) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ channel, text: JSON.stringify(message), resolve, reject })
        if (pumping) return
        pumping = true
        queueMicrotask(() => void pump())
      }),
    listen: notFor('listen'),
    close,
  }
}

const parameter = (texts: readonly string[]): Buffer => {
  const bytes = Buffer.from(texts.join(separator))
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
