/** Whether one of the patterns speaks of the channel: its exact name, or its beginning with a `*` after it. */
export const matchesPattern = (patterns: readonly string[], channel: string): boolean =>
  patterns.some((pattern) =>
    pattern.endsWith('*') ? channel.startsWith(pattern.slice(0, -1)) : channel === pattern,
  )

/** What a claim says of channels: nothing where it is not there or is no list of texts. */
export const readPatterns = (claim: unknown): readonly string[] =>
  Array.isArray(claim) && claim.every((each) => typeof each === 'string') ? claim : []
