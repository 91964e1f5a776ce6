import { type Plan, planClient } from '@ps/core'
import type { Arguments } from './arguments.js'
import { measureRoundTrips, percentile } from './both.js'
import { withConnection } from './connect.js'
import { describeTraffic } from './describe-traffic.js'
import { CommandError } from './usage.js'

const variables = [
  'PUBSUB_BACKEND',
  'PUBSUB_FALLBACK',
  'PUBSUB_RETURN_AFTER',
  'PUBSUB_RECOVERY',
  'DATABASE_URL',
  'REDIS_URL',
  'PUBSUB_LISTEN_URL',
  'PUBSUB_PREFIX',
]
const probes = 20

/** `pubsub doctor` */
export async function doctor({ verbose }: Arguments): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  for (const name of variables) say(`${name.padEnd(20)} ${describeVariable(process.env[name])}`)
  const plan: Plan = planClient({ acrossProcesses: true })
  say(`\nchosen: ${plan.explanation}`)
  for (const warning of plan.warnings) say(`warning: ${warning}`)

  const sick: string[] = []
  /** Says what `work` finds, and remembers what is not well. */
  const examine = async (what: string, work: () => Promise<string>): Promise<void> => {
    try {
      say(`${what}: ${await work()}`)
    } catch (error) {
      sick.push(what)
      say(`${what}: NOT WELL: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const roundTrip = (options: { backend?: string; fallback?: string }) =>
    withConnection({ verbose, ...options }, async (connection) => {
      const { arrived, milliseconds } = await measureRoundTrips(connection, probes)
      if (arrived < probes)
        throw new CommandError(`it hears only ${arrived} of ${probes} messages that it publishes`)
      const health = await connection.client.health()
      return { health, middle: `${percentile(milliseconds, 0.5).toFixed(2)} ms` }
    })

  for (const backend of plan.backends) {
    await examine(backend, async () => {
      const { middle } = await roundTrip({ backend, fallback: 'none' })
      return `well; it publishes and hears itself, round trip ${middle}`
    })
  }
  if (plan.backends.length > 1 && sick.length < plan.backends.length) {
    await examine('now', async () => describeTraffic((await roundTrip({})).health))
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
