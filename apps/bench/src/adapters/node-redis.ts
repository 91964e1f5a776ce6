import { createClient } from 'redis'
import type { Adapter, BenchMessage } from '../adapter.js'

export async function connectNodeRedis(url: string): Promise<Adapter> {
  const client = createClient({ url })
  client.on('error', (error: Error) => process.stderr.write(`redis: ${error.message}\n`))
  await client.connect()
  return {
    publish: (channel, message) => client.publish(channel, JSON.stringify(message)),
    listen: (channel, hear) => client.subscribe(channel, (text) => hear(JSON.parse(text) as BenchMessage)),
    close: async () => client.destroy(),
  }
}
