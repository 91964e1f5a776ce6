import { readFileSync } from 'node:fs'
import { describeError, PubSubError } from '@ps/core'

/** All that a connection is made from. */
export interface ConnectionTarget {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  /** How the server is checked; `undefined`: no TLS. */
  readonly tls: { readonly ca?: string } | undefined
  /** The names of parameters that are ignored. */
  readonly unknownParameters: readonly string[]
}

const plainForm = 'redis://user:password@host:6379/0'
const encoding = 'characters like / ? # @ : in a password are percent-encoded'

/** The error of a URL that cannot be used. `reason` never holds the password. */
export const unusable = (reason: string): PubSubError =>
  new PubSubError('configuration', `the Redis URL is unusable: ${reason}`, { backend: 'redis' })

const decode = (text: string, what: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw unusable(
      `its ${what} holds a % that begins no percent-encoded character; write %25 for a percent sign`,
    )
  }
}

const readAuthority = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw unusable(`the file of its parameter ca cannot be read: ${describeError(cause)}`)
  }
}

/** What follows an & in a password would be taken for the name of a parameter, and be told as one that is not known. */
const withoutSecrets = (names: readonly string[]): readonly string[] => {
  const first = names.findIndex((name) => /pass|secret|token|auth/i.test(name))
  return first === -1 ? names : names.slice(0, first + 1)
}

/**
 * Reads `redis://user:password@host:port/database`, or `rediss://` for TLS with `?ca=/file` for an authority of one's
 * own. Defaults: `localhost`, 6379, no password. `form` is what errors say that it should look like.
 *
 * Throws a `PubSubError` `configuration` that never shows the password.
 */
export function parseConnectionUrl(text: string, form = plainForm): ConnectionTarget {
  if (!/^rediss?:\/\//i.test(text))
    throw unusable(`it begins neither with redis:// nor with rediss://; it is of the form ${form}`)
  // The error that `new URL` throws holds the password.
  if (!URL.canParse(text)) throw unusable(`it is not of the form ${form}; ${encoding}`)
  const url = new URL(text)
  // Such a character in a password ends the host early, so that the rest stands where none belongs.
  if (url.hash !== '' || url.search.includes('@'))
    throw unusable(`it is not of the form ${form}; ${encoding}`)
  // The number has no use, since channels belong to no database; a wrong one still betrays a wrong URL.
  if (!/^\/?\d*$/.test(url.pathname)) throw unusable(`its database is not a number; ${encoding}`)
  if (url.port === '0') throw unusable('its port is 0')

  const { ca, ...others } = Object.fromEntries(url.searchParams)
  const encrypted = url.protocol === 'rediss:'
  if (ca && !encrypted)
    throw unusable(
      `its parameter ca needs TLS, so it begins with ${form.replace(/^redis(.*?:\/\/).*$/, 'rediss$1')}`,
    )

  return {
    host: decode(url.hostname, 'host').replace(/^\[(.*)\]$/, '$1') || 'localhost',
    port: Number(url.port || 6379),
    username: decode(url.username, 'user'),
    password: decode(url.password, 'password'),
    tls: encrypted ? (ca ? { ca: readAuthority(ca) } : {}) : undefined,
    unknownParameters: withoutSecrets(Object.keys(others)),
  }
}
