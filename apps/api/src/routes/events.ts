import { randomBytes } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { subscriptionOf } from '../access/subscription.js'
import { whenExpired } from '../access/when-expired.js'
import { declineEventStream, openEventStream } from '../event-stream.js'
import type { Parts } from '../parts.js'
import { Problem } from '../problem.js'
import { resume } from '../resumption.js'

/** How many channels one stream may carry. */
const maxChannels = 64
/** How long the beginning of a stream waits for the brokers, in milliseconds. */
const confirmTimeout = 1_000

export function registerEventRoutes(app: FastifyInstance, parts: Parts): void {
  const { audiences, history, streams, metrics, isConnected, isDraining } = parts
  app.get<{ Querystring: { channel?: string[]; last_event_id?: string } }>(
    '/v1/events',
    {
      exposeHeadRoute: false,
      config: { access: 'ticket', isStream: true },
      schema: {
        summary: 'Stream channels as Server-Sent Events',
        tags: ['channels'],
        querystring: {
          type: 'object',
          properties: {
            channel: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: maxChannels },
            last_event_id: {
              type: 'string',
              description: 'The last id that was seen; the header Last-Event-ID goes before it',
            },
            ticket: { type: 'string', description: 'Instead of a header, from POST /v1/tickets' },
          },
        },
        response: {
          200: {
            description: 'Events, until one of both ends it',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
        },
      },
    },
    async (request, reply) => {
      const { channels, expires } = subscriptionOf(request.credential, request.query.channel)
      const { raw } = reply
      const decline = (): typeof reply => {
        // Nothing else sends this alone; a program that can read an answer is given one.
        if (request.headers.accept !== 'text/event-stream')
          throw new Problem(503, 'this server is stopping', { code: 'draining' })
        reply.hijack()
        declineEventStream(raw, reply.getHeaders() as OutgoingHttpHeaders, 'shutdown')
        return reply
      }
      if (isDraining()) return decline()
      // Gone while the token was checked: nobody would say it again.
      if (raw.destroyed) return reply.hijack()

      const { audience, release } = audiences.hold(channels)
      // From the first moment: the client may go while we wait for the brokers.
      raw.once('close', release)
      try {
        const { confirmed } = audience
        await (isConnected() ? Promise.race([confirmed, after(confirmTimeout)]) : refusedAtOnce(confirmed))
      } catch (error) {
        release()
        throw error
      }
      if (raw.destroyed) return reply.hijack()
      if (isDraining()) {
        release()
        return decline()
      }

      // What `EventSource` has seen since goes before what its address says since it was made.
      const lastId = textOf(request.headers['last-event-id']) ?? textOf(request.query.last_event_id)
      const unconfirmed = audience.unconfirmed()
      const id = randomBytes(9).toString('base64url')
      const { resumed, cursor, opening } = resume({ history, audience, id, channels, lastId, unconfirmed })
      if (lastId !== undefined) metrics.resumed(resumed)
      reply.hijack()
      const stream = openEventStream({
        response: raw,
        headers: reply.getHeaders() as OutgoingHttpHeaders,
        audience,
        cursor,
        opening,
        onDelivered: metrics.delivered,
        onClose() {
          audience.leave(stream)
          leave()
        },
        onSlow: metrics.slowStream,
      })
      const forget = streams.add(stream, { id, audience, channels, subject: request.credential.subject })
      const stopWaiting = whenExpired(expires, () => stream.end('expired'))
      const leave = (): void => {
        stopWaiting()
        forget()
      }
      audience.join(stream)
      stream.advance()
      return reply
    },
  )
}

const textOf = (given: string | string[] | undefined): string | undefined =>
  (typeof given === 'string' ? given : given?.[0]) || undefined

const after = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds).unref())

/** A bad name is refused without a broker; anything else may take as long as the broker is away. */
async function refusedAtOnce(confirmed: Promise<unknown>): Promise<void> {
  await Promise.race([confirmed, new Promise((resolve) => setImmediate(resolve))])
}
