import { isIP } from 'node:net'
import { readList, readNumber, readSwitch } from '../environment.js'
import { isLoopback } from '../loopback.js'
import type { JsonWebTokenOptions } from './json-web-token.js'

/** Who may ask, and how often. */
export interface AccessConfiguration {
  /** Good for everything. */
  readonly token: string | undefined
  readonly jwt: JsonWebTokenOptions | undefined
  /** What tickets and sessions are signed with, the same for every api; undefined where nothing is configured. */
  readonly secret: string | undefined
  /** Other web sites whose pages may ask. */
  readonly origins: readonly string[]
  /** Whose word on where a request comes from is believed: addresses and networks. */
  readonly trustedProxies: readonly string[]
  /** Requests a minute; 0: as many as there are. */
  readonly addressRate: number
  readonly credentialRate: number
  readonly isMetricsPublic: boolean
  readonly areDocsPublic: boolean
}

const defaultRate = 6_000
const minSecretLength = 32

/** Reads the environment. Throws an error that says what to correct. */
export function readAccessConfiguration(environment: NodeJS.ProcessEnv, host: string): AccessConfiguration {
  const { API_TOKEN, API_JWT_SECRET, API_SECRET } = environment
  const token = API_TOKEN || undefined
  const jwt = readJwt(environment)
  const isOpen = token === undefined && jwt === undefined
  if (isOpen && !isLoopback(host)) {
    throw new Error(
      `HOST is ${JSON.stringify(host)}, which others can reach: set API_TOKEN, or API_JWT_SECRET or API_JWKS_URL, too`,
    )
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new Error('API_TOKEN must be printable ASCII without spaces: it travels in a header')
  }
  if (API_SECRET) checkSecret('API_SECRET', API_SECRET)
  const secrets = [API_SECRET, API_JWT_SECRET, API_TOKEN].map((each) => each || null)
  if (!isOpen && secrets.every((each) => each === null)) {
    throw new Error(
      'API_JWKS_URL needs API_SECRET, the same for every api: tickets and sessions are signed with it',
    )
  }
  // On a machine of one's own nobody has to be kept from asking.
  const rate = (name: string): number =>
    readNumber(environment, name, isOpen ? 0 : defaultRate, 0, 1_000_000_000)
  return {
    token,
    jwt,
    // All of them: whoever replaces one wants what it has given out to end.
    secret: secrets.some((each) => each !== null) ? JSON.stringify(secrets) : undefined,
    origins: readOrigins(environment.API_CORS_ORIGINS),
    trustedProxies: readProxies(environment.API_TRUSTED_PROXIES),
    addressRate: rate('API_ADDRESS_RATE'),
    credentialRate: rate('API_CREDENTIAL_RATE'),
    isMetricsPublic: readSwitch(environment, 'API_METRICS_PUBLIC'),
    areDocsPublic: readSwitch(environment, 'API_DOCS_PUBLIC'),
  }
}

function readJwt(environment: NodeJS.ProcessEnv): JsonWebTokenOptions | undefined {
  const { API_JWT_SECRET, API_JWKS_URL, API_JWT_ISSUER, API_JWT_AUDIENCE } = environment
  const name = API_JWT_SECRET ? 'API_JWT_SECRET' : 'API_JWKS_URL'
  if (API_JWT_SECRET && API_JWKS_URL) {
    throw new Error('API_JWT_SECRET and API_JWKS_URL are both set: tokens are checked in one way only')
  }
  if (!API_JWT_SECRET && !API_JWKS_URL) {
    if (!API_JWT_ISSUER && !API_JWT_AUDIENCE) return undefined
    throw new Error('API_JWT_ISSUER and API_JWT_AUDIENCE need API_JWT_SECRET or API_JWKS_URL')
  }
  if (!API_JWT_ISSUER || !API_JWT_AUDIENCE) {
    throw new Error(
      `${name} needs API_JWT_ISSUER and API_JWT_AUDIENCE: else tokens for others would count, too`,
    )
  }
  const rest = { issuer: API_JWT_ISSUER, audience: API_JWT_AUDIENCE }
  if (API_JWT_SECRET) {
    checkSecret('API_JWT_SECRET', API_JWT_SECRET)
    return { key: { secret: API_JWT_SECRET }, ...rest }
  }
  const url = API_JWKS_URL && URL.canParse(API_JWKS_URL) ? new URL(API_JWKS_URL) : undefined
  const isUsable =
    url?.protocol === 'https:' ||
    (url?.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, '')))
  if (url === undefined || !isUsable || `${url.username}${url.password}` !== '') {
    throw new Error('API_JWKS_URL must be an https:// address, without user or password')
  }
  return { key: { jwksUrl: url.href }, ...rest }
}

function checkSecret(name: string, secret: string): void {
  if (secret.length >= minSecretLength) return
  throw new Error(`${name} is too short: use ${minSecretLength} characters or more, made at random`)
}

function readProxies(text: string | undefined): string[] {
  return readList(text).map((entry) => {
    const [address = '', prefix = '0', more] = entry.split('/')
    if (isIP(address) !== 0 && /^\d{1,3}$/.test(prefix) && more === undefined) return entry
    throw new Error(
      `API_TRUSTED_PROXIES has ${JSON.stringify(entry)}: use addresses or networks like 10.0.0.0/8, separated by commas`,
    )
  })
}

function readOrigins(text: string | undefined): string[] {
  return readList(text).map((entry) => {
    if (URL.canParse(entry) && new URL(entry).origin === entry.toLowerCase()) return entry.toLowerCase()
    throw new Error(
      `API_CORS_ORIGINS has ${JSON.stringify(entry)}: use origins like https://app.example, separated by commas`,
    )
  })
}
