const maxKeys = 1_000

/**
 * Writes the first line of a key at once and then at most one an interval (milliseconds), which says how many it
 * stands for. Keys are bounded: past 1,000 the oldest is forgotten.
 */
export function createLimitedLog(
  write: (line: string) => void,
  interval: number,
): (key: string, line: string) => void {
  const lines = new Map<string, { until: number; suppressed: number }>()
  return (key, line) => {
    const now = performance.now()
    const last = lines.get(key)
    if (last !== undefined && now < last.until) {
      last.suppressed += 1
      return
    }
    lines.delete(key)
    if (lines.size >= maxKeys) {
      const [oldest] = lines.keys()
      if (oldest !== undefined) lines.delete(oldest)
    }
    lines.set(key, { until: now + interval, suppressed: 0 })
    write(
      last === undefined || last.suppressed === 0
        ? line
        : `${line} (and ${last.suppressed} more like it before)`,
    )
  }
}
