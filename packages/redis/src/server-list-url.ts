import { type ConnectionTarget, parseConnectionUrl, unusable } from './connection-url.js'

/** A URL that names several servers, and what else it says. */
export interface ServerList {
  /** Never empty. */
  readonly servers: readonly [ConnectionTarget, ...ConnectionTarget[]]
  /** Without its slash. */
  readonly path: string
  readonly parameters: URLSearchParams
}

const encoding = 'characters like / ? # @ : , in a password are percent-encoded'

/**
 * Reads `redis+<kind>://user:password@host:port,host:port/path?parameters`, with `rediss` for TLS. User, password and
 * parameters are those of every server, but for the parameters that `own` names.
 *
 * Throws a `PubSubError` `configuration` that never shows the password.
 */
export function parseServerListUrl(
  text: string,
  { form, defaultPort, own = [] }: { form: string; defaultPort: number; own?: readonly string[] },
): ServerList {
  const found = /^(rediss?)\+\w+:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#@]*))?(?:\?([^#@]*))?$/i.exec(text)
  if (found === null) throw unusable(`it is not of the form ${form}; ${encoding}`)
  const [, scheme = '', credentials, hosts = '', path = '', query = ''] = found
  const parameters = new URLSearchParams(query)
  const shared = new URLSearchParams(parameters)
  for (const name of own) shared.delete(name)
  const [first, ...others] = hosts.split(',').map((host) => {
    if (/^(:\d*)?$/.test(host)) throw unusable(`it names a server without a name; it is of the form ${form}`)
    const port = /:\d+$/.test(host) ? '' : `:${defaultPort}`
    const login = credentials === undefined ? '' : `${credentials}@`
    return parseConnectionUrl(`${scheme}://${login}${host}${port}?${shared.toString()}`, form)
  })
  if (first === undefined) throw unusable(`it names no server; it is of the form ${form}`)
  return { servers: [first, ...others], path, parameters }
}
