import { hkdfSync, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { type JWTPayload, jwtVerify, SignJWT } from 'jose'

/** What every node of a fleet derives from what they all have configured. */
export type RootKey = Buffer

/** Texts that prove that we wrote them, for one purpose and for a while. */
export interface Seal {
  /** `expires` in milliseconds since 1970; what is left of a second is cut off. */
  seal(claims: JWTPayload, expires: number): Promise<string>
  /** Undefined where it is not ours, is for another purpose, or has ended. */
  open(text: string): Promise<JWTPayload | undefined>
}

/** Slow on purpose: whoever holds a sealed text could try secrets until one fits, and an API_TOKEN may be short. */
export const deriveRootKey = (secret: string): Promise<RootKey> =>
  promisify<string, string, number, Buffer>(scrypt)(secret, 'ps api', 32)

/** A key of its own for each purpose, so that a ticket is no session. */
export function createSeal(root: RootKey, purpose: string): Seal {
  const key = new Uint8Array(hkdfSync('sha256', root, '', `ps api ${purpose}`, 32))
  return {
    seal: (claims, expires) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime(Math.floor(expires / 1_000))
        .sign(key),
    async open(text) {
      try {
        const { payload } = await jwtVerify(text, key, { algorithms: ['HS256'], requiredClaims: ['exp'] })
        return payload
      } catch {
        return undefined
      }
    },
  }
}
