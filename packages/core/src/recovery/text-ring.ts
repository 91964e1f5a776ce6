/** Before each text stands its length; a withdrawn message takes so much as well. */
const headerBytes = 4

/**
 * The latest texts in one block of memory. Kept as strings they would live just long enough to be moved by the garbage
 * collector twice, which cost up to a tenth of the throughput.
 */
export interface TextRing {
  readonly bytes: number
  /** Keeps a text of so many bytes of UTF-8; returns where it is, or -1 where it is too long to be kept. */
  add(text: string, bytes: number): number
  /** Keeps the place of what has no text. */
  skip(): void
  get(place: number): string
}

/** `onForgotten` is called for each text or place that has to make room, the oldest first, before what needs it is added. */
export function createTextRing(maxBytes: number, onForgotten: () => void): TextRing {
  // The system gives it memory only as it is written.
  const block = Buffer.allocUnsafeSlow(Math.max(maxBytes, headerBytes))
  // Where the oldest record begins, and the newest ends. Records are never cut at the end of the block.
  let first = 0
  let end = 0
  let records = 0
  // Where the last record before the end of the block ends, while there are records at its beginning again.
  let turn = block.length

  const forgetOldest = (): void => {
    first += headerBytes + block.readUInt32LE(first)
    records -= 1
    if (first === turn) {
      first = 0
      turn = block.length
    }
    if (records === 0) {
      first = 0
      end = 0
      turn = block.length
    }
    onForgotten()
  }

  /** Where a record of so many bytes begins; there must be room. */
  const makeRoom = (size: number): number => {
    for (;;) {
      if (records === 0 || end > first) {
        if (block.length - end >= size) return end
        // Not up to the oldest: that would look like an empty block.
        if (first > size) {
          turn = end
          return 0
        }
      } else if (first - end > size) return end
      forgetOldest()
    }
  }

  const begin = (bytes: number): number => {
    const place = makeRoom(headerBytes + bytes)
    block.writeUInt32LE(bytes, place)
    end = place + headerBytes + bytes
    records += 1
    return place
  }

  return {
    get bytes() {
      if (records === 0) return 0
      return end > first ? end - first : turn - first + end
    },
    add(text, bytes) {
      if (headerBytes + bytes > block.length) {
        begin(0)
        return -1
      }
      const place = begin(bytes)
      block.write(text, place + headerBytes, bytes, bytes === text.length ? 'latin1' : 'utf8')
      return place
    },
    skip: () => void begin(0),
    get: (place) => {
      const start = place + headerBytes
      return block.toString('utf8', start, start + block.readUInt32LE(place))
    },
  }
}
