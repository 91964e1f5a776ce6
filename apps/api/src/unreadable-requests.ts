import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Problem, problemType } from './problem.js'

const problems: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: new Problem(431, 'the headers are too long'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: new Problem(413, 'the extensions of a chunk are too long'),
  ERR_HTTP_REQUEST_TIMEOUT: new Problem(408, 'the request did not come in time'),
}
/** No browser, no proxy and no program sends as many. */
const maxHeaders = 500
const unreadable = new Problem(400, 'this is no HTTP request that can be read')

/** Throws a Problem where a request has more headers than are read. */
export function refuseTooManyHeaders({ rawHeaders }: IncomingMessage): void {
  if (rawHeaders.length > 2 * maxHeaders) throw new Problem(431, `more than ${maxHeaders} headers`)
}

/** Answers to what is not even a request. */
export interface UnreadableRequests {
  /** Answers as far as there is a place for an answer, and ends the connection. */
  readonly answer: (error: NodeJS.ErrnoException, socket: Socket) => void
  watch(server: Server): void
}

export function createUnreadableRequests(): UnreadableRequests {
  /** Those that have not ended, in the order of their requests. */
  const responses = new WeakMap<Socket, Set<ServerResponse>>()
  const follow = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    const open = responses.get(socket) ?? new Set()
    responses.set(socket, open.add(response))
    response.once('close', () => open.delete(response))
  }

  const requests: UnreadableRequests = {
    answer(error, socket) {
      const { code = '' } = error
      const open = [...(responses.get(socket) ?? [])].filter(
        ({ writableFinished, destroyed }) => !writableFinished && !destroyed,
      )
      // In the middle of another answer it would be taken for a part of it.
      const hasPlace = open[0]?.headersSent !== true
      if (code === 'ECONNRESET' || !socket.writable || !hasPlace) {
        socket.destroy()
        return
      }
      // It is about what came behind requests that are to have their own answers first.
      const before = open.findLast(({ req }) => req.complete)
      if (before === undefined) end(socket, problems[code] ?? unreadable)
      else before.once('finish', () => requests.answer(error, socket))
    },
    watch(server) {
      // By itself Node.js leaves out what comes behind the first 2,000, and tells nobody: one more is counted.
      server.maxHeadersCount = maxHeaders + 1
      // By itself Node.js would close the connection without a word.
      server.on('connect', (_request, socket: Socket) =>
        end(socket, new Problem(400, 'this server is no proxy')),
      )
      server.prependListener('request', follow)
      server.prependListener('checkContinue', follow)
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
  return requests
}

function end(socket: Socket, problem: Problem): void {
  const body = JSON.stringify(problem.body())
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  // Whoever sends on without end must not keep the connection.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
