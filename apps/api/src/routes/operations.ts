import type { Health } from '@ps/core'
import type { FastifyInstance } from 'fastify'
import type { Parts } from '../parts.js'
import { healthSchema } from './health-schema.js'

export function registerOperationRoutes(
  app: FastifyInstance,
  { configuration, client, metrics, isDraining, faults }: Parts,
): void {
  const tags = ['operations']
  const { token, jwt, isMetricsPublic, areDocsPublic } = configuration.access
  const isGuarded = token !== undefined || jwt !== undefined
  const alive = {
    description: 'Alive',
    type: 'object',
    required: ['state'],
    properties: { state: { type: 'string', const: 'alive' } },
  }
  app.get(
    '/livez',
    {
      config: { access: 'open' },
      schema: { summary: 'The process answers', tags, response: { 200: alive } },
    },
    () => ({ state: 'alive' }),
  )
  app.get(
    '/readyz',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Whether messages travel, and how',
        tags,
        response: {
          200: { description: 'They do, on one broker at least', ...healthSchema },
          503: { description: 'No broker is up, or this server is stopping', ...healthSchema },
        },
      },
    },
    async (_request, reply) => {
      const health = await client.health()
      const draining = isDraining()
      reply.code(health.state === 'down' || draining ? 503 : 200)
      // The dashboard shows what can be done.
      const told = isGuarded ? withoutCauses(health) : health
      return { ...told, draining, ...(faults !== undefined && { faults: true }) }
    },
  )
  app.get(
    '/metrics',
    {
      config: { access: isMetricsPublic ? 'open' : 'metrics' },
      schema: {
        summary: 'Prometheus text',
        tags,
        response: {
          200: { description: 'Metrics', content: { 'text/plain': { schema: { type: 'string' } } } },
        },
      },
    },
    async (_request, reply) => {
      reply.type(metrics.contentType)
      return metrics.text()
    },
  )
  app.get('/openapi.json', { config: areDocsPublic ? { access: 'open' } : {}, schema: { hide: true } }, () =>
    app.swagger(),
  )
}

/** Why a broker is down names hosts and users, and everyone may ask. The log has it. */
const withoutCauses = (health: Health): Health => ({
  ...health,
  reason: health.reason.replace(/:.*/s, ''),
  backends: health.backends.map(({ name, state, latencyMs }) => ({ name, state, latencyMs })),
})
