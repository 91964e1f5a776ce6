const lineFeed = 10
const carriageReturn = 13

/**
 * The end of the input read so far, from where it is still needed, and the number of the line on which any place in it
 * stands. Places are counted in bytes from the beginning of the input.
 */
export interface LineWindow {
  /** Adds bytes at the end. */
  append(bytes: Buffer): void
  /** The place behind the last byte. */
  readonly end: number
  /** The bytes between two places. */
  slice(from: number, to: number): Buffer
  /** The line of a place, from 1. A line ends with LF, CRLF or CR. Never ask for a place before one asked for earlier. */
  lineOf(place: number): number
  /** The place behind the line break that ends the line of `place`, or -1 while it is still to come. */
  lineEnd(place: number): number
  /** Lets go of what stands before a place. */
  dropBefore(place: number): void
}

/** Creates an empty window at the beginning of an input. */
export function createLineWindow(): LineWindow {
  let bytes: Buffer = Buffer.alloc(0)
  let begin = 0
  let countedTo = 0
  let line = 1

  const isLineBreakEnd = (index: number): boolean => {
    const byte = bytes[index]
    return byte === lineFeed || (byte === carriageReturn && bytes[index + 1] !== lineFeed)
  }

  const lineOf = (place: number): number => {
    const from = countedTo - begin
    const part = bytes.subarray(from, Math.max(from, place - begin))
    // Hopping from one to the next takes a third of the time of looking at every byte.
    for (const byte of [lineFeed, carriageReturn]) {
      for (let index = part.indexOf(byte); index !== -1; index = part.indexOf(byte, index + 1)) {
        if (isLineBreakEnd(from + index)) line++
      }
    }
    countedTo = Math.max(countedTo, place)
    return line
  }

  return {
    append(more) {
      bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more])
    },
    get end() {
      return begin + bytes.length
    },
    slice: (from, to) => bytes.subarray(from - begin, to - begin),
    lineOf,
    lineEnd(place) {
      for (let index = place - begin; index < bytes.length; index++) {
        // A CR at the very end may be the first half of a CRLF.
        if (bytes[index] === carriageReturn && index === bytes.length - 1) return -1
        if (isLineBreakEnd(index)) return begin + index + 1
      }
      return -1
    },
    dropBefore(place) {
      lineOf(place)
      bytes = bytes.subarray(place - begin)
      begin = place
    },
  }
}
