import fastifySse from '@fastify/sse'
import fastify from 'fastify'
import { channel, hearMessages, maxWaitingConnections, tellAddress } from './source.js'

// As its page does it, also the history, which is the application's; here it is as long as ours.

interface Sent {
  readonly id: string
  readonly data: unknown
}

const maxHistory = 10_000
const app = fastify()
// It has types for CommonJS only, where the plugin is the whole of it.
await app.register(fastifySse as unknown as typeof fastifySse.default)
const streams = new Set<{ send(message: Sent): Promise<void> }>()
const history: Sent[] = []
let sequence = 0

app.get('/v1/events', { sse: 'only' }, async (_request, reply) => {
  const { sse } = reply
  sse.keepAlive()
  await sse.send({ data: 'connected' })
  await sse.replay(async (lastId) => {
    for (const message of history.slice(history.findIndex(({ id }) => id === lastId) + 1))
      await sse.send(message)
  })
  streams.add(sse)
  sse.onClose(() => streams.delete(sse))
})

await hearMessages((message) => {
  sequence += 1
  const sent = { id: String(sequence), data: { channel, message } }
  history.push(sent)
  if (history.length > maxHistory) history.shift()
  // It rejects where the client has gone.
  for (const stream of streams) stream.send(sent).catch(() => {})
})
await app.listen({ port: 0, host: '127.0.0.1', backlog: maxWaitingConnections })
tellAddress(app.server)
