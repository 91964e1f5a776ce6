import type { FastifyInstance } from 'fastify'
import { checkSubscription } from '../access/subscription.js'
import type { Parts } from '../parts.js'
import { Problem } from '../problem.js'

const tags = ['access']
const expires = { type: 'string', format: 'date-time' } as const
const asText = (time: number): string => new Date(time).toISOString()

/** What a browser gets for a token: a cookie that no script can read, and tickets for streams. */
export function registerAccessRoutes(app: FastifyInstance, { sessions, tickets }: Parts): void {
  app.post(
    '/v1/session',
    {
      schema: {
        summary: 'Trade the bearer token of this request for a cookie',
        tags,
        security: [{ token: [] }],
        response: {
          200: {
            description: 'Begun',
            headers: { 'set-cookie': { type: 'string' } },
            type: 'object',
            required: ['expires'],
            properties: { expires },
          },
        },
      },
    },
    async ({ credential, headers: { origin }, protocol }, reply) => {
      if (credential.kind === 'session') {
        throw new Problem(401, 'send the token itself: a session is not prolonged', {
          code: 'unauthorized',
          headers: { 'www-authenticate': 'Bearer' },
        })
      }
      // A proxy may speak TLS for us; the page knows how it was loaded.
      const isSecure = protocol === 'https' || (origin?.startsWith('https:') ?? false)
      const session = await sessions.begin(credential, isSecure)
      return reply.header('set-cookie', session.cookie).send({ expires: asText(session.expires) })
    },
  )

  app.delete(
    '/v1/session',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Forget the cookie',
        tags,
        response: {
          204: { description: 'Forgotten', headers: { 'set-cookie': { type: 'string' } }, type: 'null' },
        },
      },
    },
    (_request, reply) => reply.code(204).header('set-cookie', sessions.end()).send(),
  )

  app.post<{ Body: { channels: string[] } }>(
    '/v1/tickets',
    {
      schema: {
        summary: 'Get what an EventSource is opened with: GET /v1/events?ticket=…',
        tags,
        body: {
          type: 'object',
          required: ['channels'],
          additionalProperties: false,
          properties: {
            channels: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 64 },
          },
        },
        response: {
          201: {
            description: 'Good for 30 s',
            type: 'object',
            required: ['ticket', 'expires'],
            properties: { ticket: { type: 'string' }, expires },
          },
        },
      },
    },
    async ({ credential, body }, reply) => {
      const channels = [...new Set(body.channels)]
      for (const channel of channels) checkSubscription(credential, channel)
      const { ticket, expires: end } = await tickets.issue(credential, channels)
      return reply.code(201).send({ ticket, expires: asText(end) })
    },
  )
}
