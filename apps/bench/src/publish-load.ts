import { describeError } from '@ps/core'
import type { Adapter, BenchMessage } from './adapter.js'
import { now } from './clock.js'
import type { Load, Published } from './orders.js'

const tickMilliseconds = 1

/** Publishes as the load says, and resolves when every publish has settled. */
export async function publishLoad(
  adapter: Adapter,
  load: Load,
  channelName: (channel: number) => string,
): Promise<Published> {
  const { milliseconds, messages, inFlight, rate, bytes, channels, firstChannel = 0 } = load
  const names = Array.from({ length: channels }, (_, channel) => channelName(firstChannel + channel))
  const isTimed = rate !== undefined || inFlight === 1
  const filler = fillerFor(bytes, isTimed)
  let sequence = 0
  let acknowledged = 0
  let failed = 0
  let failure = ''
  let ended = 0
  const publish = async (): Promise<void> => {
    const message: BenchMessage = { sequence, sent: isTimed ? now() : 0, filler }
    const name = names[sequence % channels] ?? ''
    sequence += 1
    try {
      if ((await adapter.publish(name, message)) === false) throw new Error('the message was not taken')
      acknowledged += 1
    } catch (error) {
      failed += 1
      failure = describeError(error)
    }
  }
  const begun = now()
  const until = begun + milliseconds

  if (rate === undefined) {
    const publishOn = async (): Promise<void> => {
      while (messages === undefined ? now() < until : sequence < messages) await publish()
      ended = now()
    }
    await Promise.all(Array.from({ length: inFlight }, publishOn))
    return { begun, acknowledged, failed, failure, ended }
  }

  const running = new Set<Promise<void>>()
  await new Promise<void>((resolve) => {
    const pace = setInterval(() => {
      const at = now()
      // Timers come late, so what is due is counted.
      const due = Math.floor(((Math.min(at, until) - begun) * rate) / 1_000)
      for (let missing = due - sequence; missing > 0; missing -= 1) {
        const one = publish()
        running.add(one)
        void one.then(() => running.delete(one))
      }
      if (at < until) return
      clearInterval(pace)
      resolve()
    }, tickMilliseconds)
  })
  await Promise.all(running)
  return { begun, acknowledged, failed, failure, ended: now() }
}

/** Makes the typical message as long as it is to be: the rest of it has so many characters. */
function fillerFor(bytes: number, isTimed: boolean): string {
  const rest: BenchMessage = { sequence: 10_000, sent: isTimed ? 123_456_789.123_456 : 0, filler: '' }
  return 'x'.repeat(Math.max(0, bytes - JSON.stringify(rest).length))
}
