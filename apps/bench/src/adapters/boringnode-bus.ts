import { RedisTransport } from '@boringnode/bus/transports/redis'
import type { Adapter, BenchMessage } from '../adapter.js'

/** Its transport, without the bus before it, which does nothing for a publish but hide its failure. */
export async function connectBoringnodeBus(url: string): Promise<Adapter> {
  const { hostname, port } = new URL(url)
  const transport = new RedisTransport({ host: hostname, port: Number(port) })
  // It drops what carries its own id.
  transport.setId(`${process.pid} ${Math.random()}`)
  return {
    publish: (channel, message) => transport.publish(channel, { ...message }),
    listen: (channel, hear) =>
      transport.subscribe(channel, (message) => hear(message as unknown as BenchMessage)),
    close: () => transport.disconnect(),
  }
}
