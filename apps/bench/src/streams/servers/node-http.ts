import { createServer, type ServerResponse } from 'node:http'
import { channel, hearMessages, serve } from './source.js'

// The least that a server of event streams does: a response that is written to.

const responses = new Set<ServerResponse>()
let sequence = 0

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.write(': hello\n\n')
  responses.add(response)
  response.on('close', () => responses.delete(response))
})

await hearMessages((message) => {
  sequence += 1
  const frame = `id: ${sequence}\ndata: ${JSON.stringify({ channel, message })}\n\n`
  for (const response of responses) response.write(frame)
})
await serve(server)
