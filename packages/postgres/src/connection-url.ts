import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { ConnectionOptions } from 'node:tls'
import { describeError, PubSubError } from '@ps/core'

/** One place where the server may be. A `host` that begins with `/` is the directory of a unix socket. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** TLS, checked as the options say; or none. */
export type Encryption = false | { readonly required: boolean; readonly options: ConnectionOptions }

/** All that a connection is made from. */
export interface ConnectionTarget {
  /** In the order in which they are tried. */
  readonly addresses: readonly Address[]
  /** In the order in which they are tried at an address. */
  readonly encryptions: readonly Encryption[]
  readonly user: string
  readonly password: string
  readonly database: string
  /** What is set for the session as it starts. */
  readonly session: Readonly<Record<string, string>>
}

const unusable = (reason: string): PubSubError =>
  new PubSubError('configuration', `the PostgreSQL URL is unusable: ${reason}`, { backend: 'postgres' })

const decode = (text: string, what: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw unusable(
      `its ${what} holds a % that begins no percent-encoded character; write %25 for a percent sign`,
    )
  }
}

const readFile = (path: string, parameter: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw unusable(`the file of ${parameter} cannot be read: ${describeError(cause)}`)
  }
}

const parsePort = (text: string): number => {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw unusable(
      'a port is not a number from 1 to 65535; characters like / ? # @ : in a password are percent-encoded',
    )
  return port
}

/** `a:1,b,[::1]:2` → the addresses; a lone port is for all of them, as in libpq. */
function parseAddresses(hosts: string, defaultPorts: string): Address[] {
  const ports = defaultPorts.split(',')
  return hosts.split(',').map((text, index) => {
    const found = /^(\[[^[\]]*\]|[^:[\]]*)(?::(.*))?$/.exec(text)
    if (found === null) throw unusable('its host is malformed; an IPv6 address stands in [brackets]')
    const host = decode(found[1] ?? '', 'host').replace(/^\[(.*)\]$/, '$1')
    return { host: host || 'localhost', port: parsePort(found[2] || ports[index] || ports[0] || '5432') }
  })
}

/** What other drivers write as `ssl`: a switch or, for postgres.js, a mode. */
const modeOf = (ssl: string): string =>
  ssl === 'true' || ssl === '1' ? 'require' : ssl === 'false' || ssl === '0' ? 'disable' : ssl

/** The meanings of libpq, save that without `sslrootcert` the certificates that Node.js trusts are the trusted ones. */
function parseEncryptions(parameter: (name: string) => string | undefined): Encryption[] {
  const rootFile = parameter('sslrootcert')
  const certificateFile = parameter('sslcert')
  const keyFile = parameter('sslkey')
  const identity: ConnectionOptions = {
    ...(certificateFile ? { cert: readFile(certificateFile, 'sslcert') } : {}),
    ...(keyFile ? { key: readFile(keyFile, 'sslkey') } : {}),
  }
  const trusted = rootFile && rootFile !== 'system' ? { ca: readFile(rootFile, 'sslrootcert') } : {}
  const unchecked = { ...identity, rejectUnauthorized: false }
  const checked = { ...identity, ...trusted, rejectUnauthorized: true }
  const authorityChecked = { ...checked, checkServerIdentity: () => undefined }
  const required = (options: ConnectionOptions): Encryption => ({ required: true, options })

  const mode =
    parameter('sslmode') ?? (rootFile === 'system' ? 'verify-full' : modeOf(parameter('ssl') ?? 'false'))
  switch (mode) {
    case 'disable':
      return [false]
    case 'allow':
      return [false, required(unchecked)]
    case 'prefer':
      return [{ required: false, options: unchecked }, false]
    case 'require':
      return [required(rootFile ? authorityChecked : unchecked)]
    case 'verify-ca':
      return [required(authorityChecked)]
    case 'verify-full':
      return [required(checked)]
    default:
      throw unusable('its sslmode is none of disable, allow, prefer, require, verify-ca, verify-full')
  }
}

const systemUser = (): string | undefined => {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}

/**
 * Reads `postgres://user:password@host:port/database?parameters`. What it does not say comes from `PGHOST`, `PGPORT`,
 * `PGUSER`, `PGPASSWORD`, `PGDATABASE` and `PGSSLMODE`, then from the defaults of postgres.js: `localhost`, 5432, the
 * system's user, no password, the database of the user's name, no TLS.
 *
 * Throws a `PubSubError` `configuration` that never shows the password.
 */
export function parseConnectionUrl(url: string): ConnectionTarget {
  // An @ further behind comes from a password like `5432/x`, of which a part would be taken for the port.
  const found =
    /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#@]*))?(?:\?(?![^=]*@)([^#]*))?$/.exec(url)
  if (found === null)
    throw unusable(
      'it is not of the form postgres://user:password@host:5432/database; characters like / ? # in a password are percent-encoded',
    )
  const [, userInformation = '', hosts = '', path = '', query = ''] = found
  const [, user = '', password] = /^([^:]*)(?::(.*))?$/s.exec(userInformation) ?? []
  const parameters = new URLSearchParams(query)
  const parameter = (name: string): string | undefined => parameters.get(name) || undefined
  const environment = (name: string): string | undefined => process.env[name] || undefined

  const chosenUser =
    parameter('user') ??
    (decode(user, 'user') || environment('PGUSER') || environment('PGUSERNAME') || systemUser())
  if (chosenUser === undefined) throw unusable('it names no user')

  const attributes = parameter('target_session_attrs') ?? environment('PGTARGETSESSIONATTRS') ?? 'any'
  if (!['any', 'read-write', 'primary'].includes(attributes))
    throw unusable(
      'its target_session_attrs leads to a standby, which can neither NOTIFY nor LISTEN; leave it out',
    )

  const options = parameter('options')
  return {
    addresses: parseAddresses(
      parameter('host') ?? (hosts || environment('PGHOST') || 'localhost'),
      parameter('port') ?? environment('PGPORT') ?? '5432',
    ),
    encryptions: parseEncryptions(
      (name) => parameter(name) ?? (name === 'sslmode' ? environment('PGSSLMODE') : undefined),
    ),
    user: chosenUser,
    password:
      parameter('password') ??
      (password === undefined ? (environment('PGPASSWORD') ?? '') : decode(password, 'password')),
    database: parameter('dbname') ?? (decode(path, 'database') || environment('PGDATABASE') || chosenUser),
    session: {
      application_name: parameter('application_name') ?? '@ps',
      ...(options === undefined ? {} : { options }),
    },
  }
}
