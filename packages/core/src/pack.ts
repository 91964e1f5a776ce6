import { describeError, PubSubError } from './errors.js'

const prefix = '{"$ps.pack":'
const escapedPrefix = '{ "$ps.pack":'

/** `{"$ps.pack":[]}`: all of a pack but its messages and the commas between them. */
export const packEnvelopeBytes = 15

/** One payload that carries several messages, given by their JSON texts. */
export const packTexts = (texts: readonly string[]): string => `${prefix}[${texts.join(',')}]}`

/** Makes sure that a message is not taken for a pack: a space after `{`, which means nothing in JSON. */
export const escapePack = (text: string): string =>
  text.startsWith(prefix) ? escapedPrefix + text.slice(prefix.length) : text

const dollar = 0x24

/**
 * Whether a text can begin with a mark of ours, `{"$ps`. Most cannot, and one character tells: `startsWith` takes ten times as
 * long.
 */
export const mayBeMarked = (text: string): boolean => text.charCodeAt(2) === dollar

/** Whether a payload is to be read as a pack. */
export const isPack = (payload: string): boolean => mayBeMarked(payload) && payload.startsWith(prefix)

/** The messages of a pack, at least one. Throws `invalid_payload` where it holds none. */
export function unpack(channel: string, payload: string): readonly unknown[] {
  const malformed = (why: string, cause?: unknown): PubSubError =>
    new PubSubError('invalid_payload', `a pack on channel ${JSON.stringify(channel)} ${why}`, {
      channel,
      cause,
    })
  let pack: object
  try {
    pack = JSON.parse(payload) as object
  } catch (cause) {
    throw malformed(`is not JSON: ${describeError(cause)}`, cause)
  }
  const [messages, ...others] = Object.values(pack) as unknown[]
  if (!Array.isArray(messages) || messages.length === 0 || others.length > 0)
    throw malformed('is not an object with one array of messages')
  return messages
}
