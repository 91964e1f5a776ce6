/** How often progress is passed on at most, in milliseconds: ten times a second. */
const intervalMilliseconds = 100

/** Takes progress as often as it comes and passes it on at a bearable rate. */
export interface ProgressLimiter<Progress> {
  /** Passes it on, or keeps it when the last one was passed on less than 100 ms ago. */
  report(progress: Progress): void
  /** Passes on what was kept last, so that the end is never missing. */
  flush(): void
}

/** Passes the first progress on at once, then the newest at most ten times a second, and on `flush` the last. */
export function limitProgress<Progress>(
  passOn: (progress: Progress) => void,
  now: () => number = () => performance.now(),
): ProgressLimiter<Progress> {
  let kept: Progress | undefined
  let passedOnAt = Number.NEGATIVE_INFINITY
  return {
    report(progress) {
      const time = now()
      if (time - passedOnAt < intervalMilliseconds) {
        kept = progress
        return
      }
      kept = undefined
      passedOnAt = time
      passOn(progress)
    },
    flush() {
      if (kept === undefined) return
      const progress = kept
      kept = undefined
      passOn(progress)
    },
  }
}
