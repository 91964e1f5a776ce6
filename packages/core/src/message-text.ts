import { describeError, PubSubError } from './errors.js'
import { escapePack, mayBeMarked } from './pack.js'
import { escapeOrigin } from './recovery/origin.js'

/** A message as it travels. */
export interface MessageText {
  readonly text: string
  /** Its length in UTF-8, in bytes. */
  readonly bytes: number
}

/** The JSON text of `message`. Throws `invalid_message` where it has none and `message_too_large` past `maxBytes`. */
export function encodeMessage(channel: string, message: unknown, maxBytes: number): MessageText {
  let text: string | undefined
  try {
    text = JSON.stringify(message)
  } catch (cause) {
    throw new PubSubError('invalid_message', `the message has no JSON text: ${describeError(cause)}`, {
      channel,
      cause,
    })
  }
  if (text === undefined) {
    throw new PubSubError('invalid_message', `the message has no JSON text: it is ${describeKind(message)}`, {
      channel,
    })
  }
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes) {
    const words = `the message has ${bytes} bytes as JSON, the limit is ${maxBytes}: send a reference to it instead`
    throw new PubSubError('message_too_large', words, { channel, limit: maxBytes, actual: bytes })
  }
  const escaped = mayBeMarked(text) ? escapeOrigin(escapePack(text)) : text
  // What it takes in a pack; the escape is all ASCII, and none of the user's bytes.
  return { text: escaped, bytes: bytes + escaped.length - text.length }
}

const describeKind = (message: unknown): string =>
  message === undefined ? 'undefined' : `a ${typeof message}`

/** The message in a payload. Throws `invalid_payload` where it is not JSON. */
export function decodeMessage(channel: string, payload: string): unknown {
  try {
    return JSON.parse(payload)
  } catch (cause) {
    throw new PubSubError('invalid_payload', `a payload on channel ${JSON.stringify(channel)} is not JSON`, {
      channel,
      cause,
    })
  }
}
