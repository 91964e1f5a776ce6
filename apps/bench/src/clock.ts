/** Milliseconds of the monotonic clock, which is the same in every process of this machine. */
export function now(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
