import { setTimeout as sleep } from 'node:timers/promises'
import { retryDelay } from '@ps/core'

/** A connection that lived for so long was no failed attempt, in milliseconds. */
const lastingMilliseconds = 1_000

/** Runs `connect`, which resolves when its connection is lost, again and again with growing delays until `signal` is aborted. */
export async function keepConnected(
  connect: () => Promise<void>,
  onFailure: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const began = performance.now()
    await connect().catch(onFailure)
    if (performance.now() - began > lastingMilliseconds) failures = 0
    await sleep(retryDelay(failures), undefined, { signal }).catch(() => {})
    failures += 1
  }
}
