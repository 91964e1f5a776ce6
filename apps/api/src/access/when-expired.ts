/** The longest that a timer can wait, in milliseconds; it fires at once where it is asked for more. */
const longestTimer = 2 ** 31 - 1

/** Calls back when the time has come, given in milliseconds since 1970; undefined is never. The returned function cancels it. */
export function whenExpired(expires: number | undefined, callback: () => void): () => void {
  if (expires === undefined) return () => {}
  let timer: NodeJS.Timeout
  const wait = (): void => {
    const left = expires - Date.now()
    timer = setTimeout(left > longestTimer ? wait : callback, Math.min(Math.max(left, 0), longestTimer))
  }
  wait()
  return () => clearTimeout(timer)
}
