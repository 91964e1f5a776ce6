/** Resolves as `work` does; rejects after `milliseconds` with what was waited for. */
export async function withDeadline<Result>(
  work: Promise<Result>,
  milliseconds: number,
  what: string,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${what}`)), milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export interface WaitForOptions {
  /** In milliseconds. Default: 10,000. */
  readonly timeout?: number
  /** What is waited for, for the error. */
  readonly what?: string
}

/** Asks `condition` again and again until it gives something truthy, and gives that. Its errors count as "not yet". */
export async function waitFor<Result>(
  condition: () => Result | Promise<Result>,
  { timeout = 10_000, what = 'a condition' }: WaitForOptions = {},
): Promise<Exclude<Result, false | null | undefined | 0 | ''>> {
  const deadline = Date.now() + timeout
  let failure: unknown
  for (;;) {
    try {
      const result = await condition()
      if (result) return result as Exclude<Result, false | null | undefined | 0 | ''>
    } catch (error) {
      failure = error
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeout} ms for ${what}`, { cause: failure })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
