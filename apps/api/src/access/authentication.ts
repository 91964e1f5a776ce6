import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../problem.js'
import type { AccessConfiguration } from './access-configuration.js'
import { type Credential, everything } from './credential.js'
import { createJsonWebTokenCheck } from './json-web-token.js'
import type { Sessions } from './sessions.js'
import type { Tickets } from './tickets.js'
import { unauthorized } from './unauthorized.js'

/** What a request brings to prove who sent it. */
export interface Evidence {
  readonly headers: IncomingHttpHeaders
  /** Only where a ticket is good for it. */
  readonly ticket?: string | undefined
  /** A cookie is sent by a browser for whoever makes it: what it may do depends on which page did. */
  readonly mayUseCookie: boolean
}

export interface AuthenticationOptions extends Pick<AccessConfiguration, 'token' | 'jwt'> {
  readonly sessions: Sessions
  readonly tickets: Tickets
  /** Told why where the keys of an issuer cannot be had. */
  readonly onNoKeys: (error: unknown) => void
}

const anyone: Credential = { kind: 'anyone', name: 'anyone', claims: everything }
const tokenHolder: Credential = { kind: 'token', name: 'API_TOKEN', claims: everything }

/** Gives what finds out who asks. It rejects with a Problem where they cannot prove it. */
export function createAuthentication({ token, jwt, sessions, tickets, onNoKeys }: AuthenticationOptions) {
  const tokenDigest = token === undefined ? undefined : digest(token)
  const checkJwt = jwt && createJsonWebTokenCheck(jwt, onNoKeys)
  const wanted = [
    token === undefined ? [] : ['the API_TOKEN of this server'],
    jwt ? ['a JSON Web Token'] : [],
  ]
    .flat()
    .join(' or ')

  const ofBearer = (bearer: string): Credential | Promise<Credential> => {
    if (tokenDigest !== undefined && timingSafeEqual(digest(bearer), tokenDigest)) return tokenHolder
    if (checkJwt !== undefined) return checkJwt(bearer)
    throw unauthorized(`the token is wrong: send Authorization: Bearer with ${wanted}`, 'bad_token')
  }

  return async ({ headers, ticket, mayUseCookie }: Evidence): Promise<Credential> => {
    if (ticket !== undefined) {
      const holder = await tickets.open(ticket)
      if (holder === undefined) {
        throw unauthorized('the ticket is none of this server or has expired: get a new one', 'bad_token')
      }
      return holder
    }
    if (wanted === '') return anyone
    const [, bearer] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
    if (bearer !== undefined) return ofBearer(bearer)
    const session = await sessions.find(headers)
    if (session === undefined) {
      throw unauthorized(`send the header Authorization: Bearer with ${wanted}`)
    }
    if (mayUseCookie) return session
    throw new Problem(403, 'a cookie alone is not enough for this: other web sites could send it, too', {
      code: 'foreign_origin',
    })
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
