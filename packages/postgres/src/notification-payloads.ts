import { asciiJson } from './ascii-json.js'
import { escapePart, maxPayloadBytes, splitIntoParts } from './parts.js'

/**
 * The payloads of the notifications that carry a message: one, or its parts where it has no room in one of `room` bytes. `unicode`:
 * whether the database's encoding is UTF-8.
 */
export function notificationPayloads(payload: string, unicode: boolean, room = maxPayloadBytes): string[] {
  const escaped = escapePart(payload)
  const text = unicode ? escaped : asciiJson(escaped)
  return isWithin(text, room) ? [text] : splitIntoParts(payload)
}

/** Whether a text has no more than `most` bytes. Most are so short that nothing need be counted. */
export const isWithin = (text: string, most: number): boolean =>
  text.length * 3 <= most || Buffer.byteLength(text) <= most
