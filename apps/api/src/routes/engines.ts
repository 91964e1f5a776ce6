import type { FastifyInstance } from 'fastify'
import type { Parts } from '../parts.js'

const count = { type: 'integer', minimum: 0 } as const
const engine = {
  type: 'object',
  required: ['engine', 'host', 'processId', 'capacity', 'running', 'queued', 'backend', 'startedAt'],
  properties: {
    engine: { type: 'string' },
    host: { type: 'string' },
    processId: count,
    capacity: { ...count, description: 'How many jobs it runs at once' },
    running: count,
    queued: count,
    backend: { type: 'string' },
    startedAt: { type: 'string', format: 'date-time' },
  },
} as const

export function registerEngineRoutes(app: FastifyInstance, { engines }: Parts): void {
  app.get(
    '/v1/engines',
    {
      config: { access: 'jobs' },
      schema: {
        summary: 'Who is alive',
        tags: ['engines'],
        response: { 200: { description: 'Engines', type: 'array', items: engine } },
      },
    },
    () => engines.list(),
  )
}
