import { createServer } from 'node:http'
import { createChannel, createSession } from 'better-sse'
import { channel, hearMessages, serve } from './source.js'

// As its guides do it: a session a request, and a channel that broadcasts.

const sessions = createChannel()
let sequence = 0

const server = createServer((request, response) => {
  void createSession(request, response).then((session) => sessions.register(session))
})

await hearMessages((message) => {
  sequence += 1
  sessions.broadcast({ channel, message }, 'message', { eventId: String(sequence) })
})
await serve(server)
