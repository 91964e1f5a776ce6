/** Resolves `true` when `work` has settled within `milliseconds`, else `false`. Never rejects; leaves no timer behind. */
export async function settledWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    // A turn later: what has come while the program was busy is read after the timers that are due.
    timer = setTimeout(() => setImmediate(resolve, false), milliseconds)
  })
  const settled = work.then(
    () => true as const,
    () => true as const,
  )
  try {
    return await Promise.race([settled, late])
  } finally {
    clearTimeout(timer)
  }
}
