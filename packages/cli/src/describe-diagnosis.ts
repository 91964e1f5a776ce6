import { describeTraffic } from './describe-traffic.js'
import type { Diagnosis, DoctorFinding } from './diagnose.js'

/** A diagnosis in words, for people. */
export function describeDiagnosis({ plan, findings, roundTrips, traffic }: Diagnosis): string {
  const of = (backend: string | undefined): string[] =>
    findings.filter((finding) => finding.backend === backend).flatMap(describeFinding)
  const lines = plan === undefined ? [] : [`chosen: ${plan.explanation}`]
  lines.push(...of(undefined))
  for (const backend of plan?.backends ?? []) {
    const trip = roundTrips.find((times) => times.backend === backend)
    const worst = findings.find((finding) => finding.backend === backend && finding.severity === 'problem')
    lines.push(
      trip === undefined || worst !== undefined
        ? `\n${backend}: NOT WELL: ${worst?.message ?? 'not known why'}`
        : `\n${backend}: well; it publishes and hears itself, round trip ${trip.p50.toFixed(2)} ms`,
      ...of(backend),
    )
  }
  if (traffic !== undefined) lines.push(`\nnow: ${describeTraffic(traffic)}`)
  return `${lines.join('\n')}\n`
}

const describeFinding = ({ severity, code, message, fix }: DoctorFinding): string[] => [
  `  ${severity.padEnd(8)} ${code}: ${message}`,
  ...(fix === undefined ? [] : [`           fix: ${fix}`]),
]
