import { once } from 'node:events'
import { RedisPubSub } from 'graphql-redis-subscriptions'
import type { Adapter, BenchMessage } from '../adapter.js'

export async function connectGraphqlRedisSubscriptions(url: string): Promise<Adapter> {
  const { hostname, port } = new URL(url)
  const pubsub = new RedisPubSub({ connection: { host: hostname, port: Number(port) } })
  await Promise.all([once(pubsub.getPublisher(), 'ready'), once(pubsub.getSubscriber(), 'ready')])
  return {
    publish: (channel, message) => pubsub.publish(channel, message),
    listen: (channel, hear) => pubsub.subscribe<BenchMessage>(channel, hear),
    close: () => pubsub.close(),
  }
}
