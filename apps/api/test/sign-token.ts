import { type JWTPayload, SignJWT } from 'jose'

export const jwtSecret = 'a-secret-of-tests-that-is-long-enough'
export const jwtEnvironment = {
  API_JWT_SECRET: jwtSecret,
  API_JWT_ISSUER: 'https://issuer.example',
  API_JWT_AUDIENCE: 'api-of-tests',
} as const

/** In seconds since 1970. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds

/** A token that counts in `jwtEnvironment`, but for what `claims` says and without the claim `without`. */
export function signToken(claims: JWTPayload = {}, secret = jwtSecret, without?: string): Promise<string> {
  const all = {
    iss: jwtEnvironment.API_JWT_ISSUER,
    aud: jwtEnvironment.API_JWT_AUDIENCE,
    sub: 'somebody',
    exp: inSeconds(600),
    ...claims,
  }
  return new SignJWT(Object.fromEntries(Object.entries(all).filter(([name]) => name !== without)))
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })
