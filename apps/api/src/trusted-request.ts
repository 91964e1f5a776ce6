import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Problem } from './problem.js'

/**
 * Who may ask for a route. `open`: everyone, and other sites may link to it. `signed`: whoever has a signed address. By
 * default: whoever has the token, where there is one.
 */
export type Access = 'open' | 'signed'

export interface TrustedRequestOptions {
  /** The configured `HOST`. */
  readonly host: string
  /** The port on which the server listens. */
  readonly port: () => number
  readonly token: string | undefined
  /** How engines reach this api. */
  readonly url: () => string
  /** `name` or `name:port`. */
  readonly allowedHosts: readonly string[]
}

export interface CheckedRoute {
  readonly access: Access | undefined
  /** A stream is as worth protecting from other sites as what changes something. */
  readonly isStream: boolean
}

interface Authority {
  readonly name: string
  readonly port: string
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Throws a Problem where a request is none of ours to answer: a wrong name, another web site, a missing token. */
export function createRequestCheck({ host, port, token, url, allowedHosts }: TrustedRequestOptions) {
  const allowed = allowedHosts.map(parseAuthority)
  const tokenDigest = token === undefined ? undefined : digest(token)

  const ownNames = (): readonly Authority[] => {
    const { hostname, port: urlPort } = new URL(url())
    const names = ['localhost', '127.0.0.1', '[::1]', host.includes(':') ? `[${host}]` : host.toLowerCase()]
    return [
      ...names.map((name) => ({ name, port: String(port()) })),
      { name: hostname, port: urlPort },
      ...allowed,
    ]
  }

  const checkHost = (request: IncomingMessage): Authority => {
    const asked = parseAuthority(request.headers.host ?? '')
    // An address instead of a name cannot be somebody else's name that was made to lead here.
    const arrivedAt = request.socket.localAddress?.replace(/^::ffff:/, '') ?? ''
    const isOurs =
      asked.name.replace(/^\[(.*)\]$/, '$1') === arrivedAt ||
      ownNames().some(({ name }) => name === asked.name)
    if (isOurs) return asked
    throw new Problem(421, 'this server does not answer to that Host: name it in API_ALLOWED_HOSTS', {
      code: 'unknown_host',
    })
  }

  const checkOrigin = (origin: string, asked: Authority): void => {
    const from = URL.canParse(origin) ? new URL(origin) : undefined
    const isSame =
      from !== undefined &&
      [asked, ...ownNames()].some(
        (own) => own.name === from.hostname && portOf(own.port, from) === portOf(from.port, from),
      )
    if (!isSame) throw new Problem(403, 'other web sites may not do this', { code: 'foreign_origin' })
  }

  return (request: IncomingMessage, { access, isStream }: CheckedRoute): void => {
    const { headers, method = '' } = request
    const asked = checkHost(request)
    if (access !== 'open' && headers['sec-fetch-site'] === 'cross-site') {
      throw new Problem(403, 'other web sites may not do this', { code: 'foreign_origin' })
    }
    if (headers.origin !== undefined && (isStream || !safeMethods.has(method)))
      checkOrigin(headers.origin, asked)
    if (access !== undefined || tokenDigest === undefined) return
    const [, given = ''] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
    if (!timingSafeEqual(digest(given), tokenDigest)) {
      throw new Problem(401, 'send the header Authorization: Bearer with the API_TOKEN of this server', {
        code: 'unauthorized',
        headers: { 'www-authenticate': 'Bearer' },
      })
    }
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const portOf = (port: string, { protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80')

function parseAuthority(text: string): Authority {
  const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text.toLowerCase()) ?? []
  return { name: name.replace(/\.$/, ''), port }
}
