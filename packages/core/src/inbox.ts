import type { BackendEvents } from './backend.js'

/** The most bytes of payload that are held: 16 MiB, as much as waits for one listener. */
const maxHeldBytes = 16 * 1024 * 1024

/**
 * What stands between a backend's connection and {@link BackendEvents.message}: it keeps back what arrives on a new
 * connection until the gap before it has been told, so that no listener hears of the time after a gap before it hears of
 * the gap.
 */
export interface Inbox {
  /** A payload arrived: delivered at once, or held. */
  message(channel: string, payload: string): void
  /** From now on payloads are held. To be called when the connection is lost. What is held is dropped. */
  hold(): void
  /**
   * Delivers what is held, in order, but for the channels that are no longer wanted; from now on payloads are delivered at
   * once. To be called when the gap has been told. Past 16 MiB the oldest are missing, which that gap has told.
   */
  release(isWanted: (channel: string) => boolean): void
}

/** Makes one that lets everything through until it is told to hold. */
export function createInbox(deliver: BackendEvents['message']): Inbox {
  let held: { channel: string; payload: string }[] | undefined
  let bytes = 0

  return {
    message(channel, payload) {
      if (held === undefined) return deliver(channel, payload)
      held.push({ channel, payload })
      bytes += payload.length
      while (bytes > maxHeldBytes) bytes -= held.shift()?.payload.length ?? bytes
    },
    hold() {
      held = []
      bytes = 0
    },
    release(isWanted) {
      const waiting = held ?? []
      held = undefined
      bytes = 0
      for (const { channel, payload } of waiting) if (isWanted(channel)) deliver(channel, payload)
    },
  }
}
