/** The largest block; a frame is small where it takes an eighth of one or less. */
const maxBlockBytes = 64 * 1024
const smallShare = 8
/** What is kept is at least so many times a block, since an old one stays until its last frame has gone. */
const blockShare = 16

/** Where the frames of one channel lie. */
export interface FrameBlocks {
  /** `keptBytes`: how much of the channel is kept. */
  write(text: string, keptBytes: number): Buffer
  /** Forgets where there is room left. */
  clear(): void
}

/**
 * Lays the frames of a channel one behind the other, so that they go as they came. Short buffers of Node.js share blocks
 * with whatever else is made at the time: a frame that is kept for long would keep what has long been forgotten.
 */
export function createFrameBlocks(): FrameBlocks {
  let block = Buffer.alloc(0)
  let used = 0

  return {
    write(text, keptBytes) {
      const length = Buffer.byteLength(text)
      const blockBytes = Math.min(maxBlockBytes, Math.floor(keptBytes / blockShare))
      if (used + length > block.length) {
        if (length * smallShare > blockBytes) {
          const own = Buffer.allocUnsafeSlow(length)
          own.write(text)
          return own
        }
        block = Buffer.allocUnsafeSlow(blockBytes)
        used = 0
      }
      const frame = block.subarray(used, used + length)
      frame.write(text)
      used += length
      return frame
    },
    clear() {
      block = Buffer.alloc(0)
      used = 0
    },
  }
}
