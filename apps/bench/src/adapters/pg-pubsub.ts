import PgPubsub from 'pg-pubsub'
import type { Adapter } from '../adapter.js'

export async function connectPgPubsub(url: string): Promise<Adapter> {
  const pubsub = new PgPubsub(url, { log: () => {} })
  return {
    publish: (channel, message) => pubsub.publish(channel, message),
    listen: (channel, hear) => pubsub.addChannel(channel, hear),
    close: () => pubsub.close(),
  }
}
