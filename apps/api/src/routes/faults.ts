import type { FastifyInstance } from 'fastify'
import type { Parts } from '../parts.js'
import { Problem } from '../problem.js'

/** There are none unless `API_FAULTS` is on. */
export function registerFaultRoutes(app: FastifyInstance, { faults }: Parts): void {
  if (faults === undefined) return
  app.post<{ Body: { stream: string } }>(
    '/v1/faults/cut',
    {
      schema: {
        hide: true,
        body: {
          type: 'object',
          required: ['stream'],
          additionalProperties: false,
          properties: { stream: { type: 'string' } },
        },
      },
    },
    ({ body: { stream } }, reply) => {
      if (!faults.cut(stream)) throw new Problem(404, 'there is no such stream', { code: 'unknown_stream' })
      return reply.code(204).send()
    },
  )

  app.post('/v1/faults/drain', { schema: { hide: true } }, (_request, reply) => {
    if (!faults.drain()) throw new Problem(409, 'this server is draining already', { code: 'draining' })
    return reply.code(202).send()
  })
}
