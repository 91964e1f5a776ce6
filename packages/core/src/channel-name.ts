import { PubSubError } from './errors.js'

/** The longest channel name, in bytes of UTF-8. */
export const maxChannelBytes = 255

// One program publishes on the same channel again and again.
let lastValid: string | undefined

/** Throws `invalid_channel` unless `channel` is a non-empty string of at most 255 UTF-8 bytes, without NUL, not beginning with `$ps`. */
export function assertChannelName(channel: unknown): asserts channel is string {
  if (channel !== undefined && channel === lastValid) return
  const refuse = (why: string, details?: { limit: number; actual: number }): never => {
    throw new PubSubError('invalid_channel', `invalid channel: ${why}`, {
      ...(typeof channel === 'string' && { channel }),
      ...details,
    })
  }
  if (typeof channel !== 'string')
    refuse(`it must be a string, not ${channel === null ? 'null' : typeof channel}`)
  const name = channel as string
  if (name === '') refuse('it is empty')
  if (name.includes('\0')) refuse('it contains a NUL character')
  if (name.startsWith('$ps')) refuse('names that begin with $ps are reserved')
  // A lone surrogate has no UTF-8 form: two different names would become one on the wire.
  if (!name.isWellFormed()) refuse('it contains half of a surrogate pair')
  const actual = Buffer.byteLength(name)
  if (actual > maxChannelBytes) {
    refuse(`it has ${actual} bytes, the limit is ${maxChannelBytes}`, { limit: maxChannelBytes, actual })
  }
  lastValid = name
}
