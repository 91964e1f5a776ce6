import { describeError, type Health, isPubSubError, type Plan, planClient } from '@ps/core'
import { type BackendFinding, examineBackends } from '@ps/core/examine'
import { measureRoundTrips, ownChannel, percentile } from './both.js'
import { withConnection } from './connect.js'
import { CommandError } from './usage.js'

/** How many messages go round. */
const probes = 20

/** How long the messages of a client took to come back to it, in milliseconds. */
export interface RoundTripTimes {
  readonly backend: string
  readonly messages: number
  readonly p50: number
  readonly max: number
}

/** What is found. `backend` is `undefined` for what concerns all. */
export type DoctorFinding = Omit<BackendFinding, 'backend'> & { readonly backend: string | undefined }

/** All that `pubsub doctor` knows in the end. */
export interface Diagnosis {
  /** `undefined` where there is none: then a finding says why. */
  readonly plan: Plan | undefined
  readonly findings: readonly DoctorFinding[]
  /** Of the backends without a problem. */
  readonly roundTrips: readonly RoundTripTimes[]
  /** Over which of several brokers messages travel now; where not all have a problem. */
  readonly traffic: Health | undefined
}

export interface DiagnoseOptions {
  /** The channel to try. Default: one of its own. */
  readonly channel: string | undefined
  readonly verbose: boolean
}

/** Looks at all that a client would use. */
export async function diagnose({ channel = ownChannel(), verbose }: DiagnoseOptions): Promise<Diagnosis> {
  const findings: DoctorFinding[] = []
  const roundTrips: RoundTripTimes[] = []
  const isSick = (backend: string): boolean =>
    findings.some((finding) => finding.backend === backend && finding.severity === 'problem')
  const problem = (backend: string | undefined, error: unknown): void => {
    const code = isPubSubError(error) ? error.code : 'no_round_trip'
    findings.push({ backend, code, severity: 'problem', message: firstLine(error) })
  }
  const roundTrip = (options: { backend?: string; fallback?: string }) =>
    withConnection({ verbose, ...options }, async (connection) => {
      const { arrived, milliseconds } = await measureRoundTrips(connection, probes, channel)
      if (arrived < probes)
        throw new CommandError(`it hears only ${arrived} of ${probes} messages that it publishes`)
      return { health: await connection.client.health(), milliseconds }
    })

  let plan: Plan
  try {
    plan = planClient({ acrossProcesses: true })
    for (const message of plan.warnings)
      findings.push({ backend: undefined, code: 'plan', severity: 'warning', message })
    for await (const finding of examineBackends({ acrossProcesses: true, channels: [channel] }))
      findings.push(finding)
  } catch (error) {
    problem(undefined, error)
    return { plan: undefined, findings, roundTrips, traffic: undefined }
  }

  // Where something is known to be wrong, messages tell no more of it, and take long to do so.
  for (const backend of plan.backends.filter((name) => !isSick(name))) {
    try {
      const { milliseconds } = await roundTrip({ backend, fallback: 'none' })
      const time = (share: number): number => Number(percentile(milliseconds, share).toFixed(2))
      roundTrips.push({ backend, messages: probes, p50: time(0.5), max: time(1) })
    } catch (error) {
      problem(backend, error)
    }
  }
  let traffic: Health | undefined
  if (plan.backends.length > 1 && roundTrips.length > 0) {
    try {
      traffic = (await roundTrip({})).health
    } catch (error) {
      problem(undefined, error)
    }
  }
  return { plan, findings, roundTrips, traffic }
}

const firstLine = (error: unknown): string => describeError(error).split('\n')[0] ?? ''
