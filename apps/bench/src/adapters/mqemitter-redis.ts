import { once } from 'node:events'
import type { Redis } from 'ioredis'
import mqemitterRedis from 'mqemitter-redis'
import type { Adapter, BenchMessage } from '../adapter.js'

/** It writes MessagePack where the others write JSON. It pipelines automatically. */
export async function connectMqemitterRedis(url: string): Promise<Adapter> {
  const { hostname, port } = new URL(url)
  const emitter = mqemitterRedis({ host: hostname, port: Number(port) })
  const { pubConn, subConn } = emitter as unknown as Readonly<Record<'pubConn' | 'subConn', Redis>>
  // To subscribe earlier would break ioredis' own check.
  await Promise.all([once(pubConn, 'ready'), once(subConn, 'ready')])
  return {
    publish: (topic, message) =>
      new Promise<void>((resolve, reject) => {
        emitter.emit({ ...message, topic }, (error) => (error ? reject(error) : resolve()))
      }),
    listen: (topic, hear) =>
      new Promise<void>((resolve) => {
        emitter.on(
          topic,
          (message, done) => {
            hear(message as unknown as BenchMessage)
            done()
          },
          resolve,
        )
      }),
    close: () => new Promise<void>((resolve) => emitter.close(resolve)),
  }
}
