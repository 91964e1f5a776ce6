import { readPatterns } from './channel-patterns.js'
import { type Credential, nothing } from './credential.js'
import { createSeal, type RootKey } from './seal.js'

/** How long a stream may be begun with a ticket, in milliseconds. */
const lifetime = 30_000

export interface Ticket {
  readonly ticket: string
  /** In milliseconds since 1970. */
  readonly expires: number
}

/** What a stream is begun with where no header can be sent. Short-lived, since addresses end up in logs. */
export interface Tickets {
  /** For these channels, and for a stream that lasts no longer than the credential. */
  issue(credential: Credential, channels: readonly string[]): Promise<Ticket>
  /** Undefined where it does not count, or not any more. */
  open(ticket: string): Promise<Credential | undefined>
}

export function createTickets(root: RootKey): Tickets {
  const seal = createSeal(root, 'ticket')
  return {
    async issue({ name, expires: until }, channels) {
      const expires = Math.min(until ?? Number.POSITIVE_INFINITY, Date.now() + lifetime)
      return { ticket: await seal.seal({ sub: name, channels, until }, expires), expires }
    },
    async open(ticket) {
      const payload = await seal.open(ticket)
      if (payload === undefined) return undefined
      return {
        kind: 'ticket',
        name: payload.sub ?? '',
        claims: nothing,
        expires: typeof payload.until === 'number' ? payload.until : undefined,
        channels: readPatterns(payload.channels),
      }
    },
  }
}
