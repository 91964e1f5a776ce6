export interface Progress {
  readonly rows: number
  readonly bytes: number
}

export interface Rate {
  add(progress: Progress, time: number): void
  /** Per second over the last few seconds; undefined until two moments are known. */
  readonly perSecond: Progress | undefined
}

/** Long enough to be calm, short enough to follow a change. */
const windowMilliseconds = 5_000

/** How fast something moves, by this computer's clock: the engine's may be set otherwise. */
export function createRate(): Rate {
  let samples: { readonly progress: Progress; readonly time: number }[] = []
  return {
    add(progress, time) {
      const last = samples.at(-1)
      if (last !== undefined && progress.bytes <= last.progress.bytes && progress.rows <= last.progress.rows)
        return
      samples.push({ progress, time })
      const oldest = samples.findLastIndex((sample) => time - sample.time >= windowMilliseconds)
      if (oldest > 0) samples = samples.slice(oldest)
    },
    get perSecond() {
      const first = samples[0]
      const last = samples.at(-1)
      if (first === undefined || last === undefined || last.time - first.time < 200) return undefined
      const seconds = (last.time - first.time) / 1_000
      return {
        rows: (last.progress.rows - first.progress.rows) / seconds,
        bytes: (last.progress.bytes - first.progress.bytes) / seconds,
      }
    },
  }
}
