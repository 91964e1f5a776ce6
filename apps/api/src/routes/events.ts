import type { OutgoingHttpHeaders } from 'node:http'
import { isPubSubError } from '@ps/core'
import { isControlChannel } from '@ps/jobs'
import type { FastifyInstance } from 'fastify'
import { type ChannelFeed, gapFrame } from '../channel-feeds.js'
import { type EventStream, eventFrame, openEventStream } from '../event-stream.js'
import type { Parts } from '../parts.js'
import { Problem } from '../problem.js'

/** How many channels one stream may carry. */
const maxChannels = 64
/** How long the beginning of a stream waits for the brokers, in milliseconds. */
const confirmTimeout = 1_000

export function registerEventRoutes(app: FastifyInstance, parts: Parts): void {
  const { feeds, streams, metrics, isConnected, isDraining } = parts
  app.get<{ Querystring: { channel: string[] } }>(
    '/v1/events',
    {
      exposeHeadRoute: false,
      config: { isStream: true },
      schema: {
        summary: 'Stream channels as Server-Sent Events',
        tags: ['channels'],
        querystring: {
          type: 'object',
          required: ['channel'],
          properties: {
            channel: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: maxChannels },
          },
        },
        response: {
          200: { description: 'events', content: { 'text/event-stream': { schema: { type: 'string' } } } },
        },
      },
    },
    async (request, reply) => {
      const channels = [...new Set(request.query.channel)]
      const forbidden = channels.find(isControlChannel)
      if (forbidden !== undefined) {
        throw new Problem(403, `the channel ${forbidden} is not for reading`, { code: 'control_channel' })
      }
      if (isDraining()) throw new Problem(503, 'this server is stopping', { code: 'draining' })

      let stream: EventStream | undefined
      const onFrame = (frame: Buffer): void => stream?.send(frame)
      const held: ChannelFeed[] = []
      const release = (): void => {
        for (const feed of held.splice(0)) feed.release(onFrame)
      }
      const { raw } = reply
      // From the first moment: the client may go while we wait for the brokers.
      raw.once('close', release)
      try {
        for (const channel of channels) held.push(feeds.feed(channel))
        const confirmed = Promise.all(held.map((feed) => feed.confirmed))
        await (isConnected() ? Promise.race([confirmed, after(confirmTimeout)]) : refusedAtOnce(confirmed))
      } catch (error) {
        release()
        throw error
      }
      if (raw.destroyed) return reply.hijack()

      reply.hijack()
      stream = openEventStream(raw, {
        headers: reply.getHeaders() as OutgoingHttpHeaders,
        onClose: () => leave(),
        onSlow: metrics.slowStream,
      })
      const leave = streams.add(stream)
      const live = held.every((feed) => feed.isConfirmed()) && isConnected()
      stream.send(eventFrame({ channels, live }, 'ps.hello'))
      for (const feed of held) {
        feed.watch(onFrame)
        if (feed.isConfirmed()) continue
        feed.confirmed.then(
          () => onFrame(gapFrame(feed.channel, 'no broker had confirmed the channel before')),
          (error: unknown) => stream?.end(isPubSubError(error, 'closed') ? 'shutdown' : 'refused'),
        )
      }
      return reply
    },
  )
}

const after = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds).unref())

/** A bad name is refused without a broker; anything else may take as long as the broker is away. */
async function refusedAtOnce(confirmed: Promise<unknown>): Promise<void> {
  await Promise.race([confirmed, new Promise((resolve) => setImmediate(resolve))])
}
