import type { Readable } from 'node:stream'
import { isId } from '@ps/jobs'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseByteRange } from '../byte-range.js'
import type { Parts } from '../parts.js'
import { Problem } from '../problem.js'

interface SignedRequest {
  Params: { id: string }
  Querystring: { expires?: string; signature?: string }
}

export const uploadPath = (id: string): string => `/internal/uploads/${id}`
export const rejectsPath = (id: string): string => `/internal/rejects/${id}`

/** What engines read and send, by addresses that we have signed. */
export function registerInternalRoutes(app: FastifyInstance, { uploads, rejects, signer }: Parts): void {
  const options = { exposeHeadRoute: false, config: { access: 'signed' }, schema: { hide: true } } as const

  const check = (request: FastifyRequest<SignedRequest>, path: string): string => {
    const { expires, signature } = request.query
    const isOurs =
      isId(request.params.id) &&
      typeof expires === 'string' &&
      typeof signature === 'string' &&
      signer.isSigned(request.method, path, expires, signature)
    if (!isOurs) throw new Problem(403, 'this address is not signed, or has ended', { code: 'bad_signature' })
    return request.params.id
  }

  app.get<SignedRequest>(uploadPath(':id'), options, async (request, reply) => {
    const id = check(request, uploadPath(request.params.id))
    const size = await uploads.size(id)
    if (size === undefined) throw new Problem(404, 'this upload is gone')
    reply.headers({ 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' })
    const range = parseByteRange(request.headers.range, size)
    if (range === 'unsatisfiable') {
      throw new Problem(416, `the upload has ${size} bytes`, {
        headers: { 'content-range': `bytes */${size}` },
      })
    }
    if (range === undefined) return reply.header('content-length', size).send(uploads.read(id))
    const { start, end } = range
    return reply
      .code(206)
      .headers({ 'content-length': end - start + 1, 'content-range': `bytes ${start}-${end}/${size}` })
      .send(uploads.read(id, start, end))
  })

  void app.register(async (scope) => {
    scope.addContentTypeParser('application/x-ndjson', (_request, body, done) => done(null, body))
    scope.put<SignedRequest & { Body: Readable | undefined }>(
      rejectsPath(':id'),
      {
        ...options,
        onRequest: async (request) => void check(request, rejectsPath(request.params.id)),
      },
      async (request, reply) => {
        if (request.body === undefined) throw new Problem(415, 'send application/x-ndjson')
        await rejects.receive(request.params.id, request.body)
        return reply.code(204).send()
      },
    )
  })
}
