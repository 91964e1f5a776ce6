import type { Arguments } from './arguments.js'
import { withConnection } from './connect.js'
import { CommandError, defaultChannel } from './usage.js'

/** `pubsub publish [channel] [json]` */
export async function publish({ operands, verbose }: Arguments): Promise<void> {
  const [channel = defaultChannel, text] = operands
  const message = text === undefined ? { from: 'pubsub', at: new Date().toISOString() } : readJson(text)
  await withConnection({ verbose }, async ({ client, answered, unreachable }) => {
    const started = performance.now()
    if (!(await client.publish(channel, message))) throw await unreachable()
    answered()
    const { backend } = await client.health()
    const took = (performance.now() - started).toFixed(1)
    process.stderr.write(`published on ${channel} over ${backend} in ${took} ms\n`)
  })
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandError(
      `the message is not JSON: ${text}; in most shells quote it like '{"a":1}' or '"text"'`,
    )
  }
}
