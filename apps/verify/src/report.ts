/** Tells a person what is checked while it is checked. */
export interface Report {
  section(title: string): void
  /** Says what has been found to hold. */
  holds(fact: string): void
  /** Runs one check and says that it holds, and how long it took. Rejects with what it was when it does not. */
  check<Result>(fact: string, work: () => Promise<Result>): Promise<Result>
  readonly count: number
}

export function createReport(print: (line: string) => void): Report {
  let count = 0
  const holds = (fact: string): void => {
    count += 1
    print(`  ok  ${fact}`)
  }
  return {
    section: (title) => print(`\n${title}`),
    holds,
    async check(fact, work) {
      const start = performance.now()
      try {
        const result = await work()
        holds(`${fact} (${((performance.now() - start) / 1_000).toFixed(1)} s)`)
        return result
      } catch (cause) {
        throw new Error(`does not hold: ${fact}`, { cause })
      }
    },
    get count() {
      return count
    },
  }
}
