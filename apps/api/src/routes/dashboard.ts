import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { DashboardFile } from '../dashboard-files.js'
import { Problem } from '../problem.js'

/** What a page of ours may load: our own files. */
export const pagePolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

export function registerDashboardRoutes(
  app: FastifyInstance,
  files: ReadonlyMap<string, DashboardFile>,
): void {
  const options = { config: { access: 'open' }, schema: { hide: true } } as const

  const send = (name: string, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const file = files.get(name)
    if (file === undefined) throw new Problem(404, 'there is no such file; is the dashboard built?')
    reply.headers({
      'content-type': file.type,
      'content-security-policy': pagePolicy,
      // Asked for each time and answered with 304: a new version is there at once.
      'cache-control': 'no-cache',
      etag: file.etag,
    })
    return request.headers['if-none-match'] === file.etag ? reply.code(304).send() : reply.send(file.content)
  }

  app.get('/', options, (request, reply) => send('index.html', request, reply))
  app.get<{ Params: { '*': string } }>('/assets/*', options, (request, reply) =>
    send(request.params['*'], request, reply),
  )
}
