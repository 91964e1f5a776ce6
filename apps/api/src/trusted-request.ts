import type { IncomingMessage } from 'node:http'
import { Problem } from './problem.js'

export interface TrustedRequestOptions {
  /** The configured `HOST`. */
  readonly host: string
  /** The port on which the server listens. */
  readonly port: () => number
  /** How engines reach this api. */
  readonly url: () => string
  /** `name` or `name:port`. */
  readonly allowedHosts: readonly string[]
  /** Other web sites whose pages may ask. */
  readonly origins: readonly string[]
}

export interface CheckedRoute {
  /** Other sites may link to it. */
  readonly isOpen: boolean
  /** A stream is as worth protecting from other sites as what changes something. */
  readonly isStream: boolean
}

interface Authority {
  readonly name: string
  readonly port: string
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Throws a Problem where a request is none of ours to answer: a wrong name, another web site. Gives whether it may be
 * made with a cookie: a page of ours asks, or it changes nothing.
 */
export function createRequestCheck({ host, port, url, allowedHosts, origins }: TrustedRequestOptions) {
  const allowed = allowedHosts.map(parseAuthority)

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
    const { host: names = [] } = request.headersDistinct
    // A proxy before us may have looked at the other one.
    if (names.length !== 1) throw new Problem(400, 'send one Host header')
    const asked = parseAuthority(names[0] ?? '')
    const target = targetAuthority(request.url ?? '')
    if (target !== undefined && target !== names[0]?.toLowerCase())
      throw new Problem(400, 'the address names another server than the Host header')
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

  const isOwnOrigin = (origin: string, asked: Authority): boolean => {
    const from = URL.canParse(origin) ? new URL(origin) : undefined
    return (
      from !== undefined &&
      [asked, ...ownNames()].some(
        (own) => own.name === from.hostname && portOf(own.port, from) === portOf(from.port, from),
      )
    )
  }

  return (request: IncomingMessage, { isOpen, isStream }: CheckedRoute): boolean => {
    const { headers, method = '' } = request
    const { origin, 'sec-fetch-site': site } = headers
    const asked = checkHost(request)
    const isOwn = origin !== undefined && isOwnOrigin(origin, asked)
    if (origin !== undefined && !isOwn && origins.includes(origin)) return false
    const isSafe = safeMethods.has(method)
    const isForeign = origin !== undefined && !isOwn && (!isSafe || isStream)
    if (isForeign || (!isOpen && site === 'cross-site')) {
      throw new Problem(403, 'other web sites may not do this', { code: 'foreign_origin' })
    }
    return isSafe || isOwn || site === 'same-origin'
  }
}

const portOf = (port: string, { protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80')

/** Of an address that a client gives to a proxy: with a server in it, and maybe with a user. */
const targetAuthority = (url: string): string | undefined => /^\w+:\/\/([^/?]*)/.exec(url)?.[1]?.toLowerCase()

function parseAuthority(text: string): Authority {
  const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text.toLowerCase()) ?? []
  return { name: name.replace(/\.$/, ''), port }
}
