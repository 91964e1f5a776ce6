import type { FastifyInstance } from 'fastify'
import type { Parts } from '../parts.js'

const count = { type: 'integer', minimum: 0 } as const
const stream = {
  type: 'object',
  required: 'id since channels channelCount delivered waitingFrames waitingBytes lagMs'.split(' '),
  properties: {
    id: { type: 'string', description: 'As its ps.hello said it' },
    since: { type: 'string', format: 'date-time' },
    channels: { type: 'array', items: { type: 'string' }, description: 'The first five' },
    channelCount: count,
    subject: { type: 'string', description: 'Of the JSON Web Token, where there is one' },
    delivered: { ...count, description: 'Frames that were given to it' },
    waitingFrames: count,
    waitingBytes: count,
    lagMs: { ...count, description: 'How long the oldest frame has waited, to a quarter of a second' },
  },
} as const
const totals = {
  type: 'object',
  required: 'streams behind waitingFrames waitingBytes delivered'.split(' '),
  properties: {
    streams: count,
    behind: { ...count, description: 'Streams for which something waits' },
    waitingFrames: count,
    waitingBytes: count,
    delivered: { ...count, description: 'Frames given to all streams since the start' },
  },
} as const

export function registerStreamRoutes(app: FastifyInstance, { streamList }: Parts): void {
  app.get(
    '/v1/streams',
    {
      // Who listens to what is not for everyone who may listen.
      config: { access: 'metrics' },
      schema: {
        summary: 'Open streams of this server, those that are furthest behind first',
        tags: ['operations'],
        response: {
          200: {
            description: 'At most 100 streams, and sums over all',
            type: 'object',
            required: ['streams', 'totals'],
            properties: { streams: { type: 'array', items: stream }, totals },
          },
        },
      },
    },
    () => streamList.overview(),
  )
}
