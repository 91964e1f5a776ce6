import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { waitFor } from '@ps/services/vitest'

/** One request of a client under test, which the test answers as it likes. */
export interface ReceivedRequest {
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly isClosed: () => boolean
  /** Begins a stream with a hello. */
  hello(content: object): void
  /** Sends an event of this name; `message` goes without one. */
  send(event: string, content: object, id?: string): void
  bye(reason: string): void
  answer(status: number, headers?: Record<string, string>, body?: string): void
  /** Cuts the connection, as a network does. */
  cut(): void
}

export interface EventServer {
  readonly address: string
  readonly requests: readonly ReceivedRequest[]
  /** The request of this number, 0 the first, as soon as it is there. */
  request(number: number): Promise<ReceivedRequest>
  close(): Promise<void>
}

/** A server of events that follows a script. */
export async function startEventServer(): Promise<EventServer> {
  const requests: ReceivedRequest[] = []
  const server = createServer(({ url = '', headers }, response) => {
    requests.push(receivedRequest(new URL(url, 'http://any').searchParams, headers, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/events`,
    requests,
    request: (number) => waitFor(() => requests[number], { what: `request ${number}`, timeout: 15_000 }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

function receivedRequest(
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
  response: ServerResponse,
): ReceivedRequest {
  let closed = false
  response.on('close', () => {
    closed = true
  })
  const send = (event: string, content: object, id?: string): void => {
    const fields = `${id === undefined ? '' : `id: ${id}\n`}${event === 'message' ? '' : `event: ${event}\n`}`
    response.write(`${fields}data: ${JSON.stringify(content)}\n\n`)
  }
  return {
    query,
    headers,
    isClosed: () => closed,
    hello(content) {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
      response.write('retry: 1\n\n')
      send('ps.hello', content)
    },
    send,
    bye(reason) {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
      send('ps.bye', { reason })
    },
    answer: (status, given = {}, body = '') => void response.writeHead(status, given).end(body),
    cut: () => void response.destroy(),
  }
}
