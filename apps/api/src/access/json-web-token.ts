import { createHash } from 'node:crypto'
import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose'
import { Problem } from '../problem.js'
import { type Credential, readClaims } from './credential.js'
import { unauthorized } from './unauthorized.js'

/** Whose tokens count, and how they are checked. */
export interface JsonWebTokenOptions {
  /** A shared secret, or where the public keys of the issuer are. */
  readonly key: { readonly secret: string } | { readonly jwksUrl: string }
  readonly issuer: string
  readonly audience: string
}

/** Never what the token itself asks for: a public key must not serve as a shared secret, and `none` is no signature. */
const secretAlgorithms = ['HS256']
const publicAlgorithms = 'ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512'.split(' ')

/**
 * Gives what checks a JSON Web Token, and rejects with a Problem where it does not count. `onNoKeys` is told why where
 * nothing can be said of it.
 */
export function createJsonWebTokenCheck(
  { key, issuer, audience }: JsonWebTokenOptions,
  onNoKeys: (error: unknown) => void,
) {
  const options = { issuer, audience, requiredClaims: ['exp'] }
  const secret = 'secret' in key ? new TextEncoder().encode(key.secret) : undefined
  const keys = 'jwksUrl' in key ? createRemoteJWKSet(new URL(key.jwksUrl)) : undefined

  const verify = async (token: string): Promise<JWTPayload> => {
    try {
      if (keys !== undefined)
        return await verifyWithKeys(token, keys, { ...options, algorithms: publicAlgorithms })
      const { payload } = await jwtVerify(token, secret ?? new Uint8Array(), {
        ...options,
        algorithms: secretAlgorithms,
      })
      return payload
    } catch (error) {
      const known = refusal(error)
      if (known === undefined) onNoKeys(error)
      throw known ?? noKeys()
    }
  }

  return async (token: string): Promise<Credential> => {
    const payload = await verify(token)
    const subject: unknown = payload.sub
    if (subject !== undefined && typeof subject !== 'string') throw badClaim('sub')
    // A digest: it goes into tickets, and these into addresses.
    const name = createHash('sha256')
      .update(subject ?? token)
      .digest('base64url')
    return {
      kind: 'jwt',
      name: `jwt ${name}`,
      subject,
      claims: readClaims(payload),
      expires: Number(payload.exp) * 1_000,
    }
  }
}

/** A token need not say with which of several keys it was signed: then each that it may be is tried. */
async function verifyWithKeys(
  token: string,
  keys: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload
      } catch (cause) {
        if (!(cause instanceof errors.JWSSignatureVerificationFailed)) throw cause
      }
    }
    throw error
  }
}

/** What speaks against a token, in our own words: it may hold anything. */
function refusal(error: unknown): Problem | undefined {
  if (error instanceof errors.JWTExpired) {
    return unauthorized('the token has expired: get a new one', 'expired_token')
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return badClaim(error.claim)
  }
  const isOfToken =
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    error.code !== 'ERR_JOSE_GENERIC'
  return isOfToken ? unauthorized('the token is no token of this server', 'bad_token') : undefined
}

const badClaim = (claim: string): Problem =>
  unauthorized(`the claim ${claim} of the token is missing or not what this server asks for`, 'bad_token')

const noKeys = (): Problem =>
  new Problem(503, 'the keys that tokens are checked with cannot be had: try again later', {
    code: 'no_keys',
    headers: { 'retry-after': '5' },
  })
