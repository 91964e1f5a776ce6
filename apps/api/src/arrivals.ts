import type { History } from './history.js'

/** How exactly it is known when a frame came, in milliseconds. Noting it for each would cost every one of them. */
const noteInterval = 250
/** A quarter of an hour as exactly as that; of what is older, every second note goes, again and again. */
const maxNotes = 4_000

/** When the frames of the history came. */
export interface Arrivals {
  /** How long ago the frame of this place came, in milliseconds, to a quarter of a second. */
  age(sequence: number): number
  close(): void
}

export function createArrivals(history: Pick<History, 'head'>): Arrivals {
  // From `time` on there was nothing after `head`, until the next note.
  let notes: { readonly time: number; readonly head: number }[] = []

  const note = (): void => {
    const { head } = history
    const last = notes.at(-1)
    if (last?.head === head) notes.pop()
    notes.push({ time: performance.now(), head })
    if (notes.length <= maxNotes) return
    notes = notes.filter((_, index) => index % 2 === 0 || index > maxNotes / 2)
  }
  note()
  const timer = setInterval(note, noteInterval).unref()

  return {
    age(sequence) {
      let low = 0
      let high = notes.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((notes[middle]?.head ?? 0) < sequence) low = middle + 1
        else high = middle
      }
      // It came after the last note that does not hold it.
      const before = notes[low - 1] ?? notes[0]
      return before === undefined ? 0 : performance.now() - before.time
    },
    close: () => clearInterval(timer),
  }
}
