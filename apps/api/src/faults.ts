import type { OpenStreams } from './open-streams.js'

/** How long no stream is taken after all have been told goodbye, in milliseconds. */
export const drainPause = 3_000

/** What can be made to go wrong on purpose, to see that nothing is lost. For development only. */
export interface Faults {
  /** Destroys the connection of a stream without a word; whether there was one. */
  cut(stream: string): boolean
  /** Says goodbye to all streams, as if we were to stop, and takes new ones after a pause. Whether that has begun. */
  drain(): boolean
  isDraining(): boolean
  close(): void
}

export function createFaults(streams: Pick<OpenStreams, 'find' | 'end'>): Faults {
  let isDraining = false
  let timer: NodeJS.Timeout | undefined

  const drain = async (): Promise<void> => {
    await streams.end()
    timer = setTimeout(() => {
      isDraining = false
    }, drainPause)
  }

  return {
    cut(id) {
      const open = streams.find(id)
      open?.stream.destroy()
      return open !== undefined
    },
    drain() {
      if (isDraining) return false
      isDraining = true
      void drain()
      return true
    },
    isDraining: () => isDraining,
    close: () => clearTimeout(timer),
  }
}
