import { isUtf8 } from 'node:buffer'
import { setImmediate } from 'node:timers/promises'
import { JobFailure } from '../job-failure.js'
import { abortable } from './abortable.js'

/** A piece of the input that is sound UTF-8 without NUL and cuts no character in two. */
export interface TextSlice {
  readonly bytes: Buffer
  /** How much of the input lies before the end of this slice, in bytes. */
  readonly end: number
}

// Small enough to be parsed within a few milliseconds, so that a cancel, a heartbeat and other jobs get their turn.
const sliceBytes = 64 * 1024
const turnMilliseconds = 10
// As many bytes as are needed to recognise what the input is.
const headBytes = 4

const foreignFormats: readonly { readonly begins: readonly number[]; readonly message: string }[] = [
  { begins: [0x1f, 0x8b], message: 'this is gzip data, not text: decompress it first' },
  { begins: [0x89, 0x50, 0x4e, 0x47], message: 'this is a PNG image, not text' },
  {
    begins: [0x50, 0x4b, 0x03, 0x04],
    message: 'this is a ZIP archive (an Excel workbook, perhaps), not text: export it as CSV first',
  },
  { begins: [0xff, 0xfe], message: 'this is UTF-16 text: save it as UTF-8 first' },
  { begins: [0xfe, 0xff], message: 'this is UTF-16 text: save it as UTF-8 first' },
]

/**
 * Cuts the input into slices of text of at most 64 KiB, whatever the sizes of its chunks, without its byte order mark.
 * Gives the event loop a turn at least every 10 ms. Throws a {@link JobFailure} where the input is not UTF-8 text, and
 * the signal's reason when it is aborted.
 */
export async function* textSlices(
  input: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<TextSlice, void, undefined> {
  let held: Buffer = Buffer.alloc(0)
  let end = 0
  let turnBegan = performance.now()

  const take = (bytes: Buffer): TextSlice => {
    const begin = end
    end += bytes.length
    if (begin === 0) refuseForeignFormats(bytes)
    refuseBinary(bytes, begin)
    return { bytes: begin === 0 ? withoutByteOrderMark(bytes) : bytes, end }
  }

  for await (const chunk of abortable(input, signal)) {
    for (let offset = 0; offset < chunk.length; offset += sliceBytes) {
      if (performance.now() - turnBegan > turnMilliseconds) {
        await setImmediate()
        turnBegan = performance.now()
      }
      signal.throwIfAborted()
      const piece = chunk.subarray(offset, offset + sliceBytes)
      const bytes = Buffer.concat([held, piece])
      const complete = end === 0 && bytes.length < headBytes ? 0 : bytes.length - cutCharacterLength(bytes)
      held = bytes.subarray(complete)
      if (complete > 0) yield take(bytes.subarray(0, complete))
    }
  }
  if (held.length > 0) yield take(held)
}

/** The length of the character at the end whose last bytes are still to come: 0 to 3. */
function cutCharacterLength(bytes: Buffer): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const byte = bytes[bytes.length - length] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return needed > length ? length : 0
  }
  return 0
}

function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

function refuseForeignFormats(bytes: Buffer): void {
  const format = foreignFormats.find(({ begins }) => begins.every((byte, index) => bytes[index] === byte))
  if (format) throw new JobFailure(format.message)
}

function refuseBinary(bytes: Buffer, begin: number): void {
  const nul = bytes.indexOf(0)
  if (nul !== -1) throw new JobFailure(`this is not text: a NUL byte at byte ${begin + nul + 1}`)
  if (!isUtf8(bytes)) {
    throw new JobFailure(
      `this is not UTF-8 text: byte ${begin + soundLength(bytes) + 1} belongs to no character. Save it as UTF-8 first`,
    )
  }
}

/** How many bytes at the beginning are sound UTF-8. */
function soundLength(bytes: Buffer): number {
  let sound = 0
  let unsound = bytes.length
  while (unsound - sound > 1) {
    const middle = (sound + unsound) >> 1
    const part = bytes.subarray(0, middle)
    if (isUtf8(part.subarray(0, middle - cutCharacterLength(part)))) sound = middle
    else unsound = middle
  }
  return sound - cutCharacterLength(bytes.subarray(0, sound))
}
