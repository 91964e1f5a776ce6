import { Redis } from 'ioredis'
import { type Adapter, notFor, type Role } from '../adapter.js'
import { createDispatch } from '../dispatch.js'

/** One command a message; with `autoPipelining`, ioredis gathers those of one turn of the event loop. */
export async function connectIoredis(url: string, role: Role, autoPipelining: boolean): Promise<Adapter> {
  const redis = new Redis(url, { lazyConnect: true, enableAutoPipelining: autoPipelining })
  await redis.connect()
  const dispatch = createDispatch()
  redis.on('message', dispatch.payload)
  return {
    publish:
      role === 'publish'
        ? (channel, message) => redis.publish(channel, JSON.stringify(message))
        : notFor('publish'),
    async listen(channel, hear) {
      if (dispatch.add(channel, hear)) await redis.subscribe(channel)
    },
    close: async () => redis.disconnect(),
  }
}
