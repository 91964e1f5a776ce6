import { setTimeout as sleep } from 'node:timers/promises'

const pollMilliseconds = 20

/** Resolves `true` once `condition` holds, and `false` after `milliseconds`. Rejects when aborted. */
export async function holdsWithin(
  condition: () => boolean | Promise<boolean>,
  milliseconds: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + milliseconds
  while (!(await condition())) {
    if (Date.now() > deadline) return false
    await sleep(pollMilliseconds, undefined, { signal })
  }
  return true
}

/** Resolves as `work` does, or with `undefined` after `milliseconds`. Rejects when aborted. */
export async function within<Result>(
  work: Promise<Result>,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<Result | undefined> {
  const timer = new AbortController()
  const either = signal === undefined ? timer.signal : AbortSignal.any([signal, timer.signal])
  const late = sleep(milliseconds, undefined, { signal: either })
  late.catch(() => {})
  try {
    return await Promise.race([work, late])
  } finally {
    timer.abort()
  }
}
