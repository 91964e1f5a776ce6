import type { FastifyInstance } from 'fastify'
import type { Parts } from '../parts.js'

export function registerEngineRoutes(app: FastifyInstance, { engines }: Parts): void {
  app.get(
    '/v1/engines',
    {
      config: { access: 'jobs' },
      schema: {
        summary: 'Who is alive',
        tags: ['engines'],
        response: { 200: { description: 'Engines', type: 'array', items: { type: 'object' } } },
      },
    },
    () => engines.list(),
  )
}
