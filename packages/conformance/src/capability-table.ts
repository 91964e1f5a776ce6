/** How a case ended, or why it was not asked. */
export type CaseOutcome = 'holds' | 'FAILED' | 'did not run' | { readonly notApplicable: string }

export interface ConcernOutcomes {
  readonly concern: string
  readonly outcomes: readonly { readonly title: string; readonly outcome: CaseOutcome }[]
}

/** One line a concern, and below it every case that does not hold or was not asked, with the reason. */
export function capabilityTable(name: string, concerns: readonly ConcernOutcomes[]): string {
  const width = Math.max(...concerns.map(({ concern }) => concern.length))
  const lines = concerns.flatMap(({ concern, outcomes }) => {
    const asked = outcomes.filter(({ outcome }) => typeof outcome === 'string')
    const holding = asked.filter(({ outcome }) => outcome === 'holds').length
    const notApplicable = outcomes.length - asked.length
    const head = [
      `  ${concern.padEnd(width)}  ${holding} of ${asked.length} hold`,
      ...(notApplicable === 0 ? [] : [`${notApplicable} not applicable`]),
    ]
    const rest = outcomes
      .filter(({ outcome }) => outcome !== 'holds')
      .map(({ title, outcome }) =>
        typeof outcome === 'string'
          ? `      ${outcome}: ${title}`
          : `      not applicable (${outcome.notApplicable}): ${title}`,
      )
    return [head.join(', '), ...rest]
  })
  return [`capabilities of ${name}`, ...lines].join('\n')
}
