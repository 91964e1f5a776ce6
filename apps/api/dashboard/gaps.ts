export interface GapState {
  /** Times that something may have been missed since the page was opened; what belongs together counts once. */
  readonly count: number
  /** What happened, in words, and when; what has not been mended yet has no `mendedAt`. */
  readonly last?: { readonly reason: string; readonly at: number; readonly mendedAt?: number }
}

export interface GapLog {
  /** Something may have been missed: fetches anew what the page shows. */
  report(reason: string): void
  readonly state: GapState
}

export interface GapLogOptions {
  /** Fetches everything anew; rejects where it could not. */
  readonly refetch: () => Promise<void>
  readonly onChange: (state: GapState) => void
}

/** How long to wait before fetching is tried again. */
const retryAfter = 2_000

/** Keeps count of what may have been missed, and mends it by fetching the state anew. */
export function createGapLog({ refetch, onChange }: GapLogOptions): GapLog {
  let state: GapState = { count: 0 }
  let reports = 0

  const change = (next: GapState): void => {
    state = next
    onChange(state)
  }

  const mend = async (): Promise<void> => {
    const seen = reports
    try {
      await refetch()
    } catch {
      setTimeout(() => void mend(), retryAfter)
      return
    }
    // What was reported while fetching may not be in what was fetched.
    if (seen !== reports) return mend()
    if (state.last !== undefined) change({ ...state, last: { ...state.last, mendedAt: Date.now() } })
  }

  return {
    report(reason) {
      reports += 1
      const open = state.last !== undefined && state.last.mendedAt === undefined
      if (open) return
      change({ count: state.count + 1, last: { reason, at: Date.now() } })
      void mend()
    },
    get state() {
      return state
    },
  }
}
