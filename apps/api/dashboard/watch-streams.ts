import type { StreamOverview } from '../src/stream-overview.js'

export interface StreamsWatch {
  /** Asks while `on`. */
  run(on: boolean): void
}

export interface StreamsWatchOptions {
  readonly ask: () => Promise<StreamOverview>
  readonly onOverview: (overview: StreamOverview) => void
  /** Nothing could be had; in words. */
  readonly onTrouble: (reason: string) => void
}

const interval = 2_000

/** Asks for the open streams again and again, the next time after the answer. */
export function watchStreams({ ask, onOverview, onTrouble }: StreamsWatchOptions): StreamsWatch {
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  const next = async (mine: number): Promise<void> => {
    try {
      const overview = await ask()
      if (mine === turn) onOverview(overview)
    } catch (error) {
      if (mine === turn) onTrouble(error instanceof Error ? error.message : String(error))
    }
    if (mine === turn) timer = setTimeout(() => void next(mine), interval)
  }

  let isOn = false
  return {
    run(on) {
      if (on === isOn) return
      isOn = on
      turn += 1
      clearTimeout(timer)
      if (on) void next(turn)
    },
  }
}
