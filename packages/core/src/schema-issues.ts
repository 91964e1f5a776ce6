import type { SchemaIssue } from './standard-schema.js'

/** The most issues that an error names in words, and the most characters of it. */
const maxNamed = 3
const maxCharacters = 300

/** Issues in words. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  return inWords(issues, (issue) => [placeOf(issue), issue.message].filter(Boolean).join(': '), '; ')
}

/** Where the issues are. Their messages may hold what was sent. */
export function describePlaces(issues: readonly SchemaIssue[]): string {
  return inWords(issues, (issue) => placeOf(issue) || 'its root', ', ')
}

function inWords(
  issues: readonly SchemaIssue[],
  describe: (issue: SchemaIssue) => string,
  between: string,
): string {
  const words = issues.slice(0, maxNamed).map(describe).join(between)
  const more = issues.length > maxNamed ? ` (and ${issues.length - maxNamed} more)` : ''
  return `${words.length > maxCharacters ? `${words.slice(0, maxCharacters)}…` : words}${more}`
}

const placeOf = ({ path = [] }: SchemaIssue): string =>
  path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
