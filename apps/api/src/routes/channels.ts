import { isControlChannel, isReadOnlyChannel } from '@ps/jobs'
import type { FastifyInstance } from 'fastify'
import { checkChannelName } from '../access/channel-name.js'
import { mayPublish } from '../access/credential.js'
import { forbidden } from '../access/unauthorized.js'
import type { Parts } from '../parts.js'
import { Problem } from '../problem.js'

export function registerChannelRoutes(app: FastifyInstance, { client, metrics, configuration }: Parts): void {
  app.post<{ Params: { channel: string } }>(
    '/v1/channels/:channel/messages',
    {
      // White space counts here and not as a message: whoever sends twice the limit has a message that is too long.
      bodyLimit: 2 * configuration.maxMessageBytes,
      schema: {
        summary: 'Publish a message',
        tags: ['channels'],
        params: { type: 'object', properties: { channel: { type: 'string' } } },
        body: { description: 'Any JSON' },
        response: {
          202: {
            description: 'A broker has the message',
            type: 'object',
            required: ['accepted'],
            properties: { accepted: { type: 'boolean', const: true } },
          },
        },
      },
    },
    async (request, reply) => {
      const { channel } = request.params
      checkChannelName(channel)
      if (isControlChannel(channel)) {
        throw new Problem(403, `the channel ${channel} is not for publishing`, { code: 'control_channel' })
      }
      if (isReadOnlyChannel(channel)) {
        throw new Problem(403, `only engines publish on the channel ${channel}`, {
          code: 'read_only_channel',
        })
      }
      if (!mayPublish(request.credential, channel)) {
        throw forbidden(`the claim publish of this token does not have the channel ${channel}`)
      }
      if (request.body === undefined) throw new Problem(415, 'send the message as application/json')
      const accepted = await client.publish(channel, request.body)
      metrics.published(accepted)
      if (!accepted) {
        throw new Problem(503, 'no broker is known to have the message; it may still arrive', {
          code: 'not_accepted',
        })
      }
      return reply.code(202).send({ accepted })
    },
  )
}
