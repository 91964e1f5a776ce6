import { matchesPattern, readPatterns } from './channel-patterns.js'

/** What is not a channel: starting, seeing and cancelling jobs; reading `/metrics`. */
export const scopes = ['jobs', 'metrics'] as const
export type Scope = (typeof scopes)[number]

/** What somebody may, as it is written in a token. */
export interface Claims {
  /** Patterns of channels. */
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
  readonly scopes: readonly Scope[]
}

/** Who asks, and what they may. */
export interface Credential {
  /** How they proved it. `anyone`: nothing has to be proven here. */
  readonly kind: 'anyone' | 'token' | 'jwt' | 'session' | 'ticket'
  /** Tells it from others of its kind; holds no secret. */
  readonly name: string
  /** The `sub` of a JSON Web Token. It does not go into tickets, which are seen in addresses. */
  readonly subject?: string | undefined
  readonly claims: Claims
  /** When it ends, in milliseconds since 1970. */
  readonly expires?: number | undefined
  /** Where it is for these channels only, whatever their names look like. */
  readonly channels?: readonly string[]
}

export const everything: Claims = { publish: ['*'], subscribe: ['*'], scopes }
export const nothing: Claims = { publish: [], subscribe: [], scopes: [] }

export const mayPublish = ({ claims }: Credential, channel: string): boolean =>
  matchesPattern(claims.publish, channel)

/** Asked when a stream begins, and again for what it is sent from before: a credential may end in between. */
export const maySubscribe = ({ claims, channels, expires }: Credential, channel: string): boolean =>
  (expires === undefined || expires > Date.now()) &&
  (channels?.includes(channel) ?? matchesPattern(claims.subscribe, channel))

/** Reads what a token says; what it does not say is not given. `scope` is a list of words, as in OAuth. */
export function readClaims({ publish, subscribe, scope }: Readonly<Record<string, unknown>>): Claims {
  const words = typeof scope === 'string' ? scope.split(' ') : readPatterns(scope)
  return {
    publish: readPatterns(publish),
    subscribe: readPatterns(subscribe),
    scopes: scopes.filter((each) => words.includes(each)),
  }
}
