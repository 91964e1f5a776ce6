import pgListen from 'pg-listen'
import type { Adapter, BenchMessage } from '../adapter.js'

/** Its CommonJS default arrives wrapped. */
const createSubscriber = 'default' in pgListen ? pgListen.default : pgListen

export async function connectPgListen(url: string): Promise<Adapter> {
  const subscriber = createSubscriber<Record<string, BenchMessage>>({ connectionString: url })
  await subscriber.connect()
  return {
    publish: (channel, message) => subscriber.notify(channel, message),
    async listen(channel, hear) {
      subscriber.notifications.on(channel, hear)
      await subscriber.listenTo(channel)
    },
    close: () => subscriber.close(),
  }
}
