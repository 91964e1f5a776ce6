import type { FastifyInstance } from 'fastify'
import type { Parts } from '../parts.js'

export function registerOperationRoutes(
  app: FastifyInstance,
  { configuration, client, metrics, isDraining }: Parts,
): void {
  const tags = ['operations']
  const { isMetricsPublic, areDocsPublic } = configuration.access
  app.get('/livez', { config: { access: 'open' }, schema: { summary: 'The process answers', tags } }, () => ({
    state: 'alive',
  }))
  app.get(
    '/readyz',
    { config: { access: 'open' }, schema: { summary: 'Whether messages travel, and how', tags } },
    async (_request, reply) => {
      const health = await client.health()
      const draining = isDraining()
      reply.code(health.state === 'down' || draining ? 503 : 200)
      return { ...health, draining }
    },
  )
  app.get(
    '/metrics',
    {
      config: { access: isMetricsPublic ? 'open' : 'metrics' },
      schema: { summary: 'Prometheus text', tags },
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
