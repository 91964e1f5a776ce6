import { type Plan, planClient } from '@ps/core'
import type { Arguments } from './arguments.js'
import { measureRoundTrips, percentile } from './both.js'
import { withConnection } from './connect.js'
import { CommandError } from './usage.js'

const variables = [
  'PUBSUB_BACKEND',
  'PUBSUB_FALLBACK',
  'DATABASE_URL',
  'REDIS_URL',
  'PUBSUB_LISTEN_URL',
  'PUBSUB_PREFIX',
]

/** `pubsub doctor` */
export async function doctor({ verbose }: Arguments): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  for (const name of variables) say(`${name.padEnd(18)} ${describeVariable(process.env[name])}`)
  const plan: Plan = planClient({ acrossProcesses: true })
  say(`\nchosen: ${plan.explanation}`)
  for (const warning of plan.warnings) say(`warning: ${warning}`)

  const sick: string[] = []
  for (const backend of plan.backends) {
    try {
      const { arrived, milliseconds } = await withConnection(
        { verbose, backend, fallback: 'none' },
        (connection) => measureRoundTrips(connection, 20),
      )
      if (arrived < 20) throw new CommandError(`it hears only ${arrived} of 20 messages that it publishes`)
      say(
        `${backend}: well; it publishes and hears itself, round trip ${percentile(milliseconds, 0.5).toFixed(2)} ms`,
      )
    } catch (error) {
      sick.push(backend)
      say(`${backend}: NOT WELL: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (sick.length > 0) throw new CommandError(`not well: ${sick.join(', ')}`)
}

/** The value of a variable; of a URL, which may name several hosts, only what is no secret. */
function describeVariable(value: string | undefined): string {
  if (value === undefined || value === '') return '(not set)'
  if (!value.includes('://')) return value
  // An @ or # anywhere else comes from a password that is not encoded, of which a part would be shown.
  const found = /^([a-z0-9+.-]+:\/\/)(?:[^@/?#]*@)?([^@?#]*)(?:\?[^@#]*)?$/i.exec(value)
  return found === null ? '(set, but not a URL)' : `${found[1]}${found[2]}`
}
