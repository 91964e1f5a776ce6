import type { ClientLimits } from './open-client.js'
import { assertChannelName } from './channel-name.js'
import { describeError, PubSubError } from './errors.js'
import { maxListenerBytes, maxListenerMessages } from './listener.js'
import { maxQueuedBytes, maxQueuedMessages } from './publish-queue.js'

/** Environment variables, or anything shaped like them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What may be said in code instead of in the environment; what is said here wins. */
export interface Settings {
  /** `postgres`, `redis`, `memory` or the name of a registered backend. Default: `PUBSUB_BACKEND`, else `postgres`. */
  readonly backend?: string | undefined
  /**
   * The backend that takes over while the first is down, or `none`. Default: `PUBSUB_FALLBACK`, else `postgres` where
   * redis is chosen and `DATABASE_URL` is set, else `none`.
   */
  readonly fallback?: string | undefined
  /** PostgreSQL connection string. Default: `DATABASE_URL`. */
  readonly databaseUrl?: string | undefined
  /** Redis connection string, of a server, a cluster or sentinels. Default: `REDIS_URL`, else `redis://localhost:6379/0`. */
  readonly redisUrl?: string | undefined
  /** A direct address for LISTEN where `databaseUrl` is a pooler. Default: `PUBSUB_LISTEN_URL`, else `databaseUrl`. */
  readonly listenUrl?: string | undefined
  /** Put before every channel name on the wire, to keep apart what shares a broker. Default: `PUBSUB_PREFIX`, else nothing. */
  readonly prefix?: string | undefined
  /**
   * Lets messages of one channel that are published faster than the broker acknowledges them share a payload. Only where
   * every listener is one of ours: any other sees packs. Default: `PUBSUB_PACKING` (`on` or `off`), else `false`.
   */
  readonly packing?: boolean | undefined
  /**
   * Numbers messages and keeps them for a while, so that listeners get once and in order what a broker has lost or brought
   * twice. Default: `PUBSUB_RECOVERY` (`on` or `off`), else `true` where there is a fallback.
   */
  readonly recovery?: boolean | undefined
  /** How long a publish waits for its acknowledgement, in milliseconds. Default: `PUBSUB_PUBLISH_TIMEOUT`, else 5,000. */
  readonly publishTimeout?: number | undefined
  /** How long `close` waits for what is under way, in milliseconds. Default: `PUBSUB_CLOSE_TIMEOUT`, else 5,000. */
  readonly closeTimeout?: number | undefined
  /**
   * How long the first backend must have been up again before publishing returns to it, in milliseconds. Longer than the
   * longest pause between two attempts to reconnect (1 s), so that other processes listen there again before anyone
   * publishes there again. Default: `PUBSUB_RETURN_AFTER`, else 5,000.
   */
  readonly returnAfter?: number | undefined
  /** The longest message, in bytes of JSON text. Default: `PUBSUB_MAX_MESSAGE_BYTES`, else 1 MiB. */
  readonly maxMessageBytes?: number | undefined
  /** The most messages that wait to be acknowledged. Default: 65,536. */
  readonly maxQueuedMessages?: number | undefined
  /** The most bytes that wait to be acknowledged. Default: 16 MiB. */
  readonly maxQueuedBytes?: number | undefined
  /**
   * The most bytes of published messages that recovery keeps, to send them again. Default: `PUBSUB_MAX_KEPT_BYTES`, else 8 MiB.
   */
  readonly maxKeptBytes?: number | undefined
  /** The most messages that wait for one listener. Default: 10,000. */
  readonly maxListenerMessages?: number | undefined
  /** The most bytes that wait for one listener. Default: 16 MiB. */
  readonly maxListenerBytes?: number | undefined
}

/** A backend to use, and why. */
export interface Choice {
  readonly name: string
  readonly why: string
  /** Whether it was named by the user, or follows from other settings. */
  readonly explicit: boolean
}

export interface Configuration {
  readonly first: Choice
  readonly fallback: Choice | undefined
  readonly prefix: string
  readonly packing: boolean
  /** `undefined` where nothing is said: then it depends on whether there is a fallback. */
  readonly recovery: boolean | undefined
  readonly listenUrl: string | undefined
  readonly limits: ClientLimits
  /** The URL for a backend. Throws `configuration` where one is needed and missing. */
  urlOf(name: string): string
}

const defaultRedisUrl = 'redis://localhost:6379/0'

/** Reads the settings and, where they are silent, the environment. Throws `configuration`. */
export function readConfiguration(
  settings: Settings,
  environment: Environment,
  known: readonly string[],
): Configuration {
  // An empty variable is an unset one: that is how compose files and CI say "none".
  const variable = (name: string): string | undefined => environment[name]?.trim() || undefined
  const databaseUrl = settings.databaseUrl ?? variable('DATABASE_URL')
  const redisUrl = settings.redisUrl ?? variable('REDIS_URL')

  const assertKnown = (name: string, source: string, also: readonly string[] = []): void => {
    if (known.includes(name)) return
    // Not all of a URL that was put in the wrong place: it has a password.
    throw new PubSubError(
      'configuration',
      `${source} is ${JSON.stringify(name.split('/')[0])}: use one of ${[...known, ...also].join(', ')}`,
    )
  }

  const first: Choice = ((): Choice => {
    if (settings.backend !== undefined)
      return { name: settings.backend, why: 'the option backend', explicit: true }
    const chosen = variable('PUBSUB_BACKEND')
    if (chosen !== undefined) return { name: chosen, why: `PUBSUB_BACKEND=${chosen}`, explicit: true }
    return { name: 'postgres', why: 'the default', explicit: false }
  })()
  assertKnown(first.name, settings.backend === undefined ? 'PUBSUB_BACKEND' : 'the option backend')

  const fallback = ((): Choice | undefined => {
    const named = settings.fallback ?? variable('PUBSUB_FALLBACK')
    const source = settings.fallback === undefined ? 'PUBSUB_FALLBACK' : 'the option fallback'
    if (named === 'none') return undefined
    if (named === undefined) {
      if (first.name !== 'redis' || databaseUrl === undefined) return undefined
      return { name: 'postgres', why: 'DATABASE_URL is set', explicit: false }
    }
    assertKnown(named, source, ['none'])
    if (named === first.name) {
      throw new PubSubError(
        'configuration',
        `${source} is ${JSON.stringify(named)}, which is the backend itself: use another, or none`,
      )
    }
    if (named === 'memory' || first.name === 'memory') {
      throw new PubSubError(
        'configuration',
        `${source} is ${JSON.stringify(named)}: the memory backend neither has a fallback nor is one`,
      )
    }
    return { name: named, why: `${source}=${named}`, explicit: true }
  })()

  const limit = (name: keyof ClientLimits, otherwise: number, variableName?: string): number => {
    assertWholeNumber(`the option ${name}`, settings[name])
    return (
      settings[name] ??
      (variableName === undefined ? undefined : readNumber(variableName, variable)) ??
      otherwise
    )
  }

  const prefix = settings.prefix ?? variable('PUBSUB_PREFIX') ?? ''
  assertPrefix(prefix, settings.prefix === undefined ? 'PUBSUB_PREFIX' : 'the option prefix')

  return {
    first,
    fallback,
    prefix,
    packing: settings.packing ?? readSwitch('PUBSUB_PACKING', variable) ?? false,
    recovery: settings.recovery ?? readSwitch('PUBSUB_RECOVERY', variable),
    listenUrl: settings.listenUrl ?? variable('PUBSUB_LISTEN_URL'),
    limits: {
      publishTimeout: limit('publishTimeout', 5_000, 'PUBSUB_PUBLISH_TIMEOUT'),
      closeTimeout: limit('closeTimeout', 5_000, 'PUBSUB_CLOSE_TIMEOUT'),
      returnAfter: limit('returnAfter', 5_000, 'PUBSUB_RETURN_AFTER'),
      maxMessageBytes: limit('maxMessageBytes', 1024 * 1024, 'PUBSUB_MAX_MESSAGE_BYTES'),
      maxQueuedMessages: limit('maxQueuedMessages', maxQueuedMessages),
      maxQueuedBytes: limit('maxQueuedBytes', maxQueuedBytes),
      maxKeptBytes: limit('maxKeptBytes', 8 * 1024 * 1024, 'PUBSUB_MAX_KEPT_BYTES'),
      maxListenerMessages: limit('maxListenerMessages', maxListenerMessages),
      maxListenerBytes: limit('maxListenerBytes', maxListenerBytes),
    },
    urlOf(name) {
      if (name === 'redis') return redisUrl ?? defaultRedisUrl
      if (name !== 'postgres') return variable(`${name.toUpperCase()}_URL`) ?? ''
      if (databaseUrl !== undefined) return databaseUrl
      const hint =
        redisUrl !== undefined && !first.explicit
          ? '; only REDIS_URL is set: to use Redis, set PUBSUB_BACKEND=redis'
          : ', for example postgres://user:password@localhost:5432/database'
      throw new PubSubError(
        'configuration',
        `DATABASE_URL is not set: set it to the PostgreSQL to use${hint}`,
      )
    },
  }
}

/** The longest that a timer of Node can wait, in milliseconds; a longer one would fire at once. */
const longestTimer = 2 ** 31 - 1

function assertWholeNumber(source: string, value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= longestTimer)) return
  throw new PubSubError(
    'configuration',
    `${source} is ${String(value)}: use a whole number from 0 to ${longestTimer}`,
  )
}

function assertPrefix(prefix: string, source: string): void {
  if (prefix === '') return
  try {
    assertChannelName(prefix)
  } catch (error) {
    throw new PubSubError('configuration', `${source} cannot begin a channel name: ${describeError(error)}`)
  }
}

function readNumber(name: string, variable: (name: string) => string | undefined): number | undefined {
  const text = variable(name)
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new PubSubError(
      'configuration',
      `${name} is ${JSON.stringify(text)}: use a whole number from 1 to 999999999`,
    )
  }
  return Number(text)
}

function readSwitch(name: string, variable: (name: string) => string | undefined): boolean | undefined {
  const text = variable(name)
  if (text !== undefined && text !== 'on' && text !== 'off')
    throw new PubSubError('configuration', `${name} is ${JSON.stringify(text)}: use on or off`)
  return text === undefined ? undefined : text === 'on'
}
