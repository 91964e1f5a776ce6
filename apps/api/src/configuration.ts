import { readAllowedSources } from '@ps/jobs'
import { type AccessConfiguration, readAccessConfiguration } from './access/access-configuration.js'
import { readList, readNumber, readSwitch } from './environment.js'
import { isLoopback } from './loopback.js'

export interface Configuration {
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  readonly access: AccessConfiguration
  readonly dataFolder: string
  /** How engines reach this api; undefined: at the address on which it listens. */
  readonly url: string | undefined
  /** `name` or `name:port`, in lower case. */
  readonly allowedHosts: readonly string[]
  /** `host` or `host:port` of job sources that may stand at private addresses. */
  readonly allowedSources: readonly string[]
  readonly maxUploadBytes: number
  /** What all uploads together may take, in bytes. */
  readonly maxStoredBytes: number
  readonly maxMessageBytes: number
  /** After about how long a stream ends, in milliseconds. */
  readonly streamMaxAge: number
  /** How long a channel is listened to after its last stream, in milliseconds. */
  readonly streamLinger: number
  /** How long headers, a body that is read at once, or a silence within another may take, in milliseconds. */
  readonly requestTimeout: number
  /** Whether things can be made to go wrong on purpose. */
  readonly hasFaults: boolean
  readonly logLevel: string
}

/** A timer can wait for 2^31 ms, and a stream lives for up to 1.2 times its age. */
const longestTimer = 1_000_000_000
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Reads the environment; an empty variable counts as unset. Throws an error that says what to correct. */
export function readConfiguration(environment: NodeJS.ProcessEnv): Configuration {
  const host = environment.HOST || '127.0.0.1'
  const logLevel = environment.LOG_LEVEL || 'info'
  if (!logLevels.includes(logLevel)) {
    throw new Error(`LOG_LEVEL is ${JSON.stringify(logLevel)}: use one of ${logLevels.join(', ')}`)
  }
  const access = readAccessConfiguration(environment, host)
  return {
    host,
    port: readNumber(environment, 'PORT', 3000, 0, 65_535),
    access,
    dataFolder: environment.API_DATA_DIR || '.data/api',
    url: readUrl(environment.API_URL),
    allowedHosts: readHosts(environment.API_ALLOWED_HOSTS),
    allowedSources: readAllowedSources(environment.JOB_SOURCE_ALLOW),
    maxUploadBytes: readNumber(
      environment,
      'API_MAX_UPLOAD_BYTES',
      10 * 1024 ** 3,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    maxStoredBytes: readNumber(
      environment,
      'API_MAX_STORED_BYTES',
      100 * 1024 ** 3,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    requestTimeout: readNumber(environment, 'API_REQUEST_TIMEOUT', 60_000, 100, 3_600_000),
    // The client reads it, too, and is the one that refuses; here it bounds the body that is read at all.
    maxMessageBytes: Number(environment.PUBSUB_MAX_MESSAGE_BYTES) || 1024 ** 2,
    streamMaxAge: readNumber(environment, 'API_STREAM_MAX_AGE', 600_000, 1_000, longestTimer),
    streamLinger: readNumber(environment, 'API_STREAM_LINGER', 120_000, 0, longestTimer),
    hasFaults: readFaults(environment, host, access),
    logLevel,
  }
}

function readFaults(
  environment: NodeJS.ProcessEnv,
  host: string,
  { token, jwt }: AccessConfiguration,
): boolean {
  if (!readSwitch(environment, 'API_FAULTS')) return false
  if (isLoopback(host) && token === undefined && jwt === undefined) return true
  throw new Error(
    'API_FAULTS is on, which is for development: use a HOST that only this machine can reach, and neither API_TOKEN nor API_JWT_SECRET nor API_JWKS_URL',
  )
}

function readHosts(text: string | undefined): string[] {
  return readList(text).map((entry) => {
    if (/^(?:\[[\da-f:.]+\]|[^\s:/?#@[\]]+)(?::\d{1,5})?$/i.test(entry)) return entry.toLowerCase()
    throw new Error(
      `API_ALLOWED_HOSTS has ${JSON.stringify(entry)}: use names like jobs.example.com or jobs.example.com:8443, separated by commas`,
    )
  })
}

function readUrl(text: string | undefined): string | undefined {
  if (!text) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isUsable =
    (url?.protocol === 'http:' || url?.protocol === 'https:') &&
    `${url.username}${url.password}${url.search}${url.hash}` === ''
  if (!isUsable) {
    throw new Error(
      'API_URL must be an address like http://api.internal:3000, without user, password or query',
    )
  }
  return text.replace(/\/+$/, '')
}
