import { createHash } from 'node:crypto'

/** The longest identifier of PostgreSQL (NAMEDATALEN - 1), in bytes. LISTEN silently truncates what is longer. */
const maxNameBytes = 63

/**
 * The name under which a channel travels: its own where PostgreSQL can carry it, else `$ps.` and the SHA-256 of its
 * UTF-8 bytes in base64url. `unicode` says whether the database's encoding is UTF-8; in others only ASCII is the same
 * to every client.
 */
export function physicalChannel(channel: string, unicode: boolean): string {
  return Buffer.byteLength(channel) <= maxNameBytes && (unicode || isAscii(channel))
    ? channel
    : `$ps.${createHash('sha256').update(channel, 'utf8').digest('base64url')}`
}

// Every other character takes more bytes in UTF-8 than it has code units.
const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length

/** A channel as it stands in `LISTEN` and `UNLISTEN`. */
export const quoteChannel = (physical: string): string => `"${physical.replaceAll('"', '""')}"`
