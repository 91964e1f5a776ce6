import type { Arguments } from './arguments.js'
import { describeDiagnosis } from './describe-diagnosis.js'
import { describeVariable } from './describe-variable.js'
import { type Diagnosis, diagnose } from './diagnose.js'
import { CommandError } from './usage.js'
import { readVersion } from './version.js'

const variables = [
  'PUBSUB_BACKEND',
  'PUBSUB_FALLBACK',
  'PUBSUB_RETURN_AFTER',
  'PUBSUB_RECOVERY',
  'PUBSUB_PACKING',
  'PUBSUB_MAX_MESSAGE_BYTES',
  'DATABASE_URL',
  'REDIS_URL',
  'PUBSUB_LISTEN_URL',
  'PUBSUB_PREFIX',
]

type Described = readonly (readonly [name: string, value: string | undefined])[]

/** `pubsub doctor [--channel name] [--json]` */
export async function doctor({ verbose, channel, json }: Arguments): Promise<void> {
  const described: Described = variables.map((name) => [name, describeVariable(name, process.env[name])])
  const say = (text: string): void => void process.stdout.write(text)
  if (!json)
    say(`${described.map(([name, value]) => `${name.padEnd(24)} ${value ?? '(not set)'}\n`).join('')}\n`)
  const diagnosis = await diagnose({ channel, verbose })
  say(json ? `${JSON.stringify(toJson(diagnosis, described), undefined, 2)}\n` : describeDiagnosis(diagnosis))
  const problems = diagnosis.findings.filter(({ severity }) => severity === 'problem')
  if (problems.length === 0) return
  const [first] = problems
  // Without a plan there is no backend to name.
  if (diagnosis.plan === undefined) throw new CommandError(first?.message ?? 'there is no plan')
  const names = new Set(problems.map(({ backend }) => backend ?? 'the client'))
  throw new CommandError(`not well: ${[...names].join(', ')}`)
}

function toJson({ plan, findings, roundTrips, traffic }: Diagnosis, described: Described): object {
  const servers = findings.flatMap(({ backend, version }) =>
    backend === undefined || version === undefined ? [] : [[backend, version] as const],
  )
  return {
    versions: { pubsub: readVersion(), node: process.versions.node, ...Object.fromEntries(servers) },
    variables: Object.fromEntries(described.map(([name, value]) => [name, value ?? null])),
    plan: plan ?? null,
    findings: findings.map(({ code, backend = null, severity, message, fix = null }) => ({
      code,
      backend,
      severity,
      message,
      fix,
    })),
    roundTrips,
    traffic:
      traffic === undefined
        ? null
        : { backend: traffic.backend, since: traffic.since, reason: traffic.reason },
  }
}
