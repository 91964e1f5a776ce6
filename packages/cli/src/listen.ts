import type { Arguments } from './arguments.js'
import { listenPatiently, withConnection } from './connect.js'
import { CommandError, defaultChannel } from './usage.js'

/** `pubsub listen [channel] [--count n] [--timeout s]` */
export async function listen({ operands, count, timeout, verbose }: Arguments): Promise<void> {
  const [channel = defaultChannel] = operands
  await withConnection({ verbose }, async (connection) => {
    let seen = 0
    let timer: NodeJS.Timeout | undefined
    let stop: () => void = () => {}
    const stopped = new Promise<void>((resolve) => {
      stop = resolve
    })
    await listenPatiently(
      connection,
      channel,
      (message) => {
        if (count !== undefined && seen >= count) return
        seen += 1
        process.stdout.write(`${JSON.stringify(message)}\n`)
        if (seen === count) stop()
      },
      (reason) => process.stderr.write(`something may have been missed: ${reason}\n`),
    )
    // Before the line that tells others that it listens: they may send the signal as soon as they read it.
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
    process.stderr.write(`listening on ${channel}\n`)
    if (timeout !== undefined) timer = setTimeout(stop, timeout)
    await stopped
    clearTimeout(timer)
    if (count !== undefined && seen < count) throw new CommandError(`${seen} of ${count} messages came`)
  })
}
