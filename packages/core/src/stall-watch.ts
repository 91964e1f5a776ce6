const tickMilliseconds = 250
/** After how many ticks without an answer a broker counts as stalled: 1 s. */
const ticksToStall = 4

/** Notices a broker that has been given something and answers nothing for a second. */
export interface StallWatch {
  /** The broker was given something. */
  given(): void
  /** It has answered something. */
  answered(): void
  close(): void
}

/**
 * Counts ticks, not time: while this process itself is stopped or busy, none passes. `isWaiting`: whether any answer is
 * due.
 */
export function createStallWatch(isWaiting: () => boolean, onStalled: () => void): StallWatch {
  let timer: NodeJS.Timeout | undefined
  let ticks = 0

  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }

  const tick = (): void => {
    if (!isWaiting()) return stop()
    ticks += 1
    if (ticks < ticksToStall) return
    ticks = 0
    onStalled()
  }

  return {
    given() {
      if (timer !== undefined) return
      ticks = 0
      timer = setInterval(tick, tickMilliseconds)
      timer.unref()
    },
    answered() {
      ticks = 0
    },
    close: stop,
  }
}
