import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@ps/core'
import { mark } from './crowd-orders.js'
import { channel } from './servers/source.js'

/** With what stands around it, a frame of some 240 bytes. */
const filler = mark + 'x'.repeat(149)

/** How messages are published: some together, and again after a while. */
export interface StreamLoad {
  readonly messages: number
  readonly together: number
  /** From one to the next, in milliseconds. */
  readonly interval: number
}

/** Publishes for streams. Rejects where a message is not accepted. */
export async function publishToStreams(
  client: Client,
  { messages, together, interval }: StreamLoad,
  signal: AbortSignal,
): Promise<void> {
  const begun = performance.now()
  const publishing: Promise<boolean>[] = []
  for (let sequence = 0; sequence < messages; sequence += 1) {
    const wait = begun + Math.floor(sequence / together) * interval - performance.now()
    if (wait > 0) await sleep(wait, undefined, { signal })
    publishing.push(client.publish(channel, { sequence, text: filler }))
  }
  if ((await Promise.all(publishing)).includes(false)) throw new Error('a message was not accepted')
}
