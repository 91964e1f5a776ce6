import { describeError } from '@ps/core'
import type { AuditNotice, MemorySample, Notice } from './messages.js'

const toldWithinMilliseconds = 1_000

/** Ties this process to the one that forked it: ends with it, and tells it of an uncaught error. */
export function liveUnderParent(): void {
  // Also called for unhandled rejections.
  process.on('uncaughtException', (error, origin) => {
    const text = `${origin}: ${error instanceof Error ? (error.stack ?? error.message) : describeError(error)}`
    process.stderr.write(`${text}\n`)
    setTimeout(() => process.exit(1), toldWithinMilliseconds)
    tellParent({ kind: 'uncaught', text }, () => process.exit(1))
  })
  process.on('disconnect', () => process.exit(1))
  if (!process.connected) process.exit(1)
}

/** Lets go of the process that forked this one: this one ends when nothing keeps it. */
export function leaveParent(): void {
  process.removeAllListeners('disconnect')
  process.disconnect?.()
}

/** Sends a message to the process that forked this one. */
export function tellParent(message: Notice | AuditNotice, onTold = (): void => {}): void {
  process.send?.(message, undefined, undefined, onTold)
}

/** What this process holds now, after a collection where it was started with `--expose-gc`. */
export function sampleMemory(): MemorySample {
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { at: Date.now(), resident: rss, live: heapUsed + external }
}
