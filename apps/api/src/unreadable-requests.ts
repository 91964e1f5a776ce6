import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Problem, problemType } from './problem.js'

const problems: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: new Problem(431, 'the headers are too long'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: new Problem(413, 'the extensions of a chunk are too long'),
  ERR_HTTP_REQUEST_TIMEOUT: new Problem(408, 'the request did not come in time'),
}
const unreadable = new Problem(400, 'this is no HTTP request that can be read')

/** Answers to what is not even a request. */
export interface UnreadableRequests {
  /** Answers as far as there is a place for an answer, and ends the connection. */
  readonly answer: (error: NodeJS.ErrnoException, socket: Socket) => void
  watch(server: Server): void
}

export function createUnreadableRequests(): UnreadableRequests {
  const latest = new WeakMap<Socket, ServerResponse>()
  return {
    answer({ code = '' }, socket) {
      const before = latest.get(socket)
      // In the middle of another answer it would be taken for a part of it.
      const hasPlace = before === undefined || before.writableFinished || !before.headersSent
      if (code === 'ECONNRESET' || !socket.writable || !hasPlace) {
        socket.destroy()
        return
      }
      const problem = problems[code] ?? unreadable
      const body = JSON.stringify(problem.body())
      const head = [
        `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
        `content-type: ${problemType}`,
        `content-length: ${Buffer.byteLength(body)}`,
        'connection: close',
      ]
      // Whoever sends on without end must not keep the connection.
      socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
    },
    watch(server) {
      server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) =>
        latest.set(socket, response),
      )
      server.on('checkExpectation', (_request, response: ServerResponse) => {
        const problem = new Problem(417, 'only 100-continue can be expected of this server')
        const body = JSON.stringify(problem.body())
        response.writeHead(problem.status, {
          'content-type': problemType,
          'content-length': Buffer.byteLength(body),
          connection: 'close',
        })
        response.end(body)
      })
    },
  }
}
