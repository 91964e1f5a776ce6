const wholeNumbers = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const fineNumbers = new Intl.NumberFormat('en', { maximumFractionDigits: 4 })
const rateNumbers = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** A count: `53,940`. */
export const formatCount = (count: number): string => wholeNumbers.format(count)

/** A count and its noun, which takes an `s` where it is not one. */
export const formatPlural = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`

/** A measured number with at most four decimals, or with four significant digits where those would not show it. */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  if (size !== 0 && (size < 0.001 || size >= 1e15)) return value.toExponential(3)
  return fineNumbers.format(value)
}

/** A share of one: `12 %`, and never `0 %` or `100 %` for what is only nearly so. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.01) return '< 1 %'
  if (share > 0.99 && share < 1) return '> 99 %'
  return `${Math.round(share * 100)} %`
}

/** Bytes in powers of 1,000: `2.8 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`
}

/** A duration: `29 ms`, `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 100) return `${Math.max(0, Math.round(milliseconds))} ms`
  if (milliseconds < 9_950) return `${(milliseconds / 1_000).toFixed(1)} s`
  const seconds = Math.round(milliseconds / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** An age in whole seconds: `just now`, `4 s ago`. */
export function formatAge(milliseconds: number): string {
  if (milliseconds < 1_000) return 'just now'
  if (milliseconds < 60_000) return `${Math.floor(milliseconds / 1_000)} s ago`
  return `${formatDuration(milliseconds)} ago`
}

/** A round trip: `0.42 ms`, `3.1 ms`, `180 ms`. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds < 1) return `${milliseconds.toFixed(2)} ms`
  return `${milliseconds < 100 ? milliseconds.toFixed(1).replace(/\.0$/, '') : Math.round(milliseconds)} ms`
}

/** A number of things in a second: `0.4`, `3.2`, `1,204`. */
export const formatRate = (rate: number): string => (rate < 10 ? rateNumbers : wholeNumbers).format(rate)

/** A time of day, with the day where that is not today; a dash for what is no time. */
export function formatTime(time: number): string {
  if (Number.isNaN(time)) return '–'
  const date = new Date(time)
  const today = new Date().toDateString() === date.toDateString()
  return today ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`
}

/** A backend's name as people write it. */
export function formatBackend(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
