import { randomUUID } from 'node:crypto'
import type { Arguments } from './arguments.js'
import { type Connection, listenPatiently, withConnection } from './connect.js'
import { CommandError, patience } from './usage.js'

/** What a client heard of its own messages. */
export interface RoundTrips {
  readonly backend: string
  readonly accepted: number
  readonly arrived: number
  readonly inOrder: boolean
  /** From the call of `publish` to the callback, in milliseconds, sorted. */
  readonly milliseconds: readonly number[]
}

/** A channel that nobody else uses. */
export const ownChannel = (): string => `pubsub-check-${randomUUID()}`

/** Listens on `channel`, publishes `count` messages one after another, and waits until all have come or none comes any more. */
export async function measureRoundTrips(
  connection: Connection,
  count: number,
  channel = ownChannel(),
): Promise<RoundTrips> {
  const { client, unreachable } = connection
  // Others may use the channel, too.
  const check = randomUUID()
  const sentAt: number[] = []
  const milliseconds: number[] = []
  let inOrder = true
  let arrived: (() => void) | undefined
  await listenPatiently(connection, channel, (message) => {
    const number = numberOf(message, check)
    const sent = sentAt[number]
    if (sent === undefined) return
    if (number !== milliseconds.length) inOrder = false
    milliseconds.push(performance.now() - sent)
    arrived?.()
  })
  let accepted = 0
  for (let number = 0; number < count; number += 1) {
    sentAt.push(performance.now())
    if (await client.publish(channel, { check, number })) accepted += 1
    else if (accepted === 0) throw await unreachable()
    await untilArrived(() => milliseconds.length > number)
  }
  const { backend } = await client.health()
  return {
    backend,
    accepted,
    arrived: milliseconds.length,
    inOrder,
    milliseconds: milliseconds.toSorted((a, b) => a - b),
  }

  async function untilArrived(isThere: () => boolean): Promise<void> {
    if (isThere()) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      arrived = () => isThere() && resolve()
      timer = setTimeout(resolve, patience)
    })
    clearTimeout(timer)
    arrived = undefined
  }
}

const numberOf = (message: unknown, check: string): number =>
  typeof message === 'object' && message !== null && 'check' in message && message.check === check
    ? Number('number' in message && message.number)
    : Number.NaN

/** The value below which `share` of the sorted `values` lie. */
export function percentile(values: readonly number[], share: number): number {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN
}

/** `pubsub both [--backend redis|postgres]` */
export async function both({ backend, count = 100, verbose }: Arguments): Promise<void> {
  // A named backend is tested itself, not what stands behind it.
  const choice = backend === undefined ? {} : { backend, fallback: 'none' }
  await withConnection({ verbose, ...choice }, async (connection) => {
    const result = await measureRoundTrips(connection, count)
    const time = (share: number): string => `${percentile(result.milliseconds, share).toFixed(2)} ms`
    process.stdout.write(
      `${result.backend}: ${count} published, ${result.accepted} accepted, ${result.arrived} arrived` +
        `${result.inOrder ? ' in order' : ' OUT OF ORDER'}; round trip ` +
        `min ${time(0)}, p50 ${time(0.5)}, p99 ${time(0.99)}, max ${time(1)}\n`,
    )
    if (result.arrived < count)
      throw new CommandError(`${count - result.arrived} of ${count} messages are missing`)
    if (!result.inOrder) throw new CommandError('the messages arrived out of order')
  })
}
