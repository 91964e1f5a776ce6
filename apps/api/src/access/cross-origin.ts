import type { FastifyReply, FastifyRequest } from 'fastify'

/** How long a browser may remember that it may ask, in seconds. */
const preflightAge = 600

/** What browsers are told about pages of other sites. */
export interface CrossOrigin {
  /** Sets the headers by which a page of another site may read the answer, if it may. */
  mark(request: FastifyRequest, reply: FastifyReply): void
  /** Whether a browser asks, on behalf of such a page, if it may ask. */
  isPreflight(request: FastifyRequest): boolean
}

/**
 * Never with cookies, so that another site needs a token of its own. Not `@fastify/cors`: it answers in text, and has a
 * route for every address, so that none would be unknown any more.
 */
export function createCrossOrigin(origins: readonly string[]): CrossOrigin {
  const isAllowed = ({ headers: { origin } }: FastifyRequest): boolean =>
    origin !== undefined && origins.includes(origin)
  return {
    mark(request, reply) {
      if (origins.length === 0) return
      reply.header('vary', 'origin')
      if (!isAllowed(request)) return
      reply.headers({
        'access-control-allow-origin': request.headers.origin,
        'access-control-expose-headers': 'location, retry-after, allow, www-authenticate',
      })
      if (request.method !== 'OPTIONS') return
      reply.headers({
        'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
        'access-control-allow-headers': 'authorization, content-type, content-disposition, last-event-id',
        'access-control-max-age': preflightAge,
      })
    },
    isPreflight: (request) =>
      request.method === 'OPTIONS' &&
      isAllowed(request) &&
      request.headers['access-control-request-method'] !== undefined,
  }
}
