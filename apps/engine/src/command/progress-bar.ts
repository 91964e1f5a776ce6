import type { WriteStream } from 'node:tty'
import type { JobProgress } from '../job.js'

/** One line on a terminal that says how far a job has come. */
export interface ProgressBar {
  show(progress: JobProgress): void
  /** Takes the line away. */
  clear(): void
}

/** What a bar needs to know. */
export interface ProgressBarOptions {
  /** The size of the input; where it is not known there is no bar, only numbers. */
  readonly totalBytes: number | undefined
}

const barCharacters = 24
// A terminal that does not know its width says 0.
const defaultColumns = 80
const startOfLineCleared = '\r\u001B[K'
const numbers = new Intl.NumberFormat('en-US')

/** Creates a bar that begins to count time now. */
export function createProgressBar(terminal: WriteStream, { totalBytes }: ProgressBarOptions): ProgressBar {
  const began = performance.now()
  return {
    show({ bytes, rows, rejected }) {
      const seconds = (performance.now() - began) / 1000
      const parts = [`${numbers.format(rows)} rows`]
      if (rejected > 0) parts.push(`${numbers.format(rejected)} rejected`)
      parts.push(`${(bytes / 1e6 / Math.max(seconds, 0.001)).toFixed(1)} MB/s`)
      if (totalBytes !== undefined && totalBytes > 0) {
        const part = Math.min(bytes / totalBytes, 1)
        const filled = Math.round(part * barCharacters)
        const bar = '█'.repeat(filled) + '░'.repeat(barCharacters - filled)
        parts.unshift(`${bar} ${String(Math.floor(part * 100)).padStart(3)} %`)
        if (part > 0) parts.push(`${duration((seconds / part) * (1 - part))} left`)
      }
      terminal.write(startOfLineCleared + parts.join('  ').slice(0, (terminal.columns || defaultColumns) - 1))
    },
    clear() {
      terminal.write(startOfLineCleared)
    },
  }
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
