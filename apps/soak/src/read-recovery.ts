import type { Health } from '@ps/core'

/** A client that recovers says more of its health. */
type HealthOfPublisher = Omit<Health, 'recovery'> & {
  readonly recovery?: { readonly resent?: number; readonly forgotten?: number } | null
}

/** What a client has sent again, and what it was asked for and no longer kept; `undefined` where it recovers nothing. */
export function readRecovery({
  recovery,
}: HealthOfPublisher): { readonly resent: number; readonly forgotten: number } | undefined {
  if (recovery === undefined || recovery === null) return undefined
  return { resent: recovery.resent ?? 0, forgotten: recovery.forgotten ?? 0 }
}
