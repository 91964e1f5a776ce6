import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../problem.js'
import { type Credential, readClaims } from './credential.js'
import { createSeal, type RootKey } from './seal.js'

/** How long a session lasts at most, in milliseconds: a working day. */
const lifetime = 12 * 60 * 60 * 1_000
const cookieName = 'ps-session'
/** Browsers leave out a longer one, name and value together, and tell nobody. */
const maxCookieBytes = 4_096
/** Browsers take a cookie of such a name over TLS only, and from nobody else's host. */
const secureCookieName = `__Host-${cookieName}`

export interface Session {
  /** A `Set-Cookie` header. */
  readonly cookie: string
  /** In milliseconds since 1970. */
  readonly expires: number
}

/** Credentials that a browser keeps where no script can read them. They are not stored here, so any node knows them. */
export interface Sessions {
  /** For as long as the credential counts, and no longer than 12 hours. Rejects with a Problem where it is too long for a cookie. */
  begin(credential: Credential, isSecure: boolean): Promise<Session>
  /** The `Set-Cookie` headers that make a browser forget it. */
  end(): string[]
  /** Undefined where the request has none that counts. */
  find(headers: IncomingHttpHeaders): Promise<Credential | undefined>
}

export function createSessions(root: RootKey): Sessions {
  const seal = createSeal(root, 'session')
  const cookie = (name: string, value: string, seconds: number): string =>
    `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${name === secureCookieName ? '; Secure' : ''}`

  return {
    async begin({ name: holder, subject, claims, expires: end = Number.POSITIVE_INFINITY }, isSecure) {
      const expires = Math.min(end, Date.now() + lifetime)
      const { publish, subscribe, scopes } = claims
      const value = await seal.seal({ sub: holder, subject, publish, subscribe, scope: scopes }, expires)
      const name = isSecure ? secureCookieName : cookieName
      if (name.length + value.length > maxCookieBytes) {
        throw new Problem(400, 'this token has too many channels for a cookie: send it with each request', {
          code: 'too_long_for_cookie',
        })
      }
      const seconds = Math.max(0, Math.floor((expires - Date.now()) / 1_000))
      return { cookie: cookie(name, value, seconds), expires }
    },
    end: () => [cookieName, secureCookieName].map((name) => cookie(name, '', 0)),
    async find({ cookie: header = '' }) {
      const cookies = new Map(
        header.split(';').map((each) => {
          const [name = '', value = ''] = each.split('=')
          return [name.trim(), value.trim()]
        }),
      )
      const payload = await seal.open(cookies.get(secureCookieName) ?? cookies.get(cookieName) ?? '')
      if (payload === undefined) return undefined
      const expires = Number(payload.exp) * 1_000
      const subject = typeof payload.subject === 'string' ? payload.subject : undefined
      return { kind: 'session', name: payload.sub ?? '', subject, claims: readClaims(payload), expires }
    },
  }
}
