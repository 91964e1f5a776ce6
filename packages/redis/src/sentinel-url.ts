import { type ConnectionTarget, unusable } from './connection-url.js'
import { parseServerListUrl } from './server-list-url.js'

const form = 'redis+sentinel://user:password@host:26379,host:26379/master-name'

/** Sentinels, and the master that they are asked for. */
export interface SentinelUrl {
  /** With the user and the password that sentinels are told. */
  readonly sentinels: readonly [ConnectionTarget, ...ConnectionTarget[]]
  /** How the master is connected to; its host and port are for the sentinels to say. */
  readonly master: ConnectionTarget
  /** What the sentinels call it. */
  readonly name: string
}

/**
 * Reads `redis+sentinel://user:password@host:port,host:port/name`, with `rediss` for TLS. User and password are those of the
 * master, and of the sentinels too where `sentinelUsername` and `sentinelPassword` do not say otherwise.
 *
 * Throws a `PubSubError` `configuration` that never shows a password.
 */
export function readSentinelUrl(url: string): SentinelUrl {
  const { servers, path, parameters } = parseServerListUrl(url, {
    form,
    defaultPort: 26_379,
    own: ['sentinelUsername', 'sentinelPassword'],
  })
  const [master] = servers
  const password = parameters.get('sentinelPassword')
  // What follows an & in a password would be taken for a parameter, and be told as one that is not known.
  if (password !== null && master.unknownParameters.length > 0)
    throw unusable('it has unknown parameters; characters like & in sentinelPassword are percent-encoded')
  const asSentinel = (server: ConnectionTarget): ConnectionTarget => ({
    ...server,
    username: parameters.get('sentinelUsername') ?? (password === null ? server.username : ''),
    password: password ?? server.password,
  })
  const [first, ...others] = servers
  return { sentinels: [asSentinel(first), ...others.map(asSentinel)], master, name: readName(path) }
}

function readName(path: string): string {
  if (path === '') throw unusable(`it names no master; it is of the form ${form}`)
  if (path.includes('/')) throw unusable(`the name of the master has a / in it; it is of the form ${form}`)
  try {
    return decodeURIComponent(path)
  } catch {
    throw unusable('the name of its master holds a % that begins no percent-encoded character')
  }
}
