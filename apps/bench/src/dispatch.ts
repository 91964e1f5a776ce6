import type { BenchMessage, Hear } from './adapter.js'

/** Hands a payload to those who listen on its channel: one parse a message, which is the best that a program does by hand. */
export interface Dispatch {
  /** Whether it is the first on its channel. */
  add(channel: string, hear: Hear): boolean
  payload(channel: string, text: string): void
}

export function createDispatch(): Dispatch {
  const channels = new Map<string, Hear[]>()
  return {
    add(channel, hear) {
      const known = channels.get(channel)
      if (known === undefined) channels.set(channel, [hear])
      else known.push(hear)
      return known === undefined
    },
    payload(channel, text) {
      const hears = channels.get(channel)
      if (hears === undefined) return
      const message = JSON.parse(text) as BenchMessage
      for (const hear of hears) hear(message)
    },
  }
}
