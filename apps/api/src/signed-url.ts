import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** How long an engine may begin to read or send with an address, in milliseconds: a day. */
const lifetime = 24 * 60 * 60 * 1_000

/** Makes addresses that work for one method and one path, until they end. */
export interface UrlSigner {
  /** `path` with what proves that we made it. */
  sign(method: string, path: string): string
  isSigned(method: string, path: string, expires: string, signature: string): boolean
}

export function createUrlSigner(secret: Buffer): UrlSigner {
  const signatureOf = (method: string, path: string, expires: string): Buffer =>
    createHmac('sha256', secret).update(`${method}\n${path}\n${expires}`).digest()
  return {
    sign(method, path) {
      const expires = String(Date.now() + lifetime)
      const signature = signatureOf(method, path, expires).toString('base64url')
      return `${path}?expires=${expires}&signature=${signature}`
    },
    isSigned(method, path, expires, signature) {
      const given = Buffer.from(signature, 'base64url')
      const right = signatureOf(method, path, expires)
      return given.length === right.length && timingSafeEqual(given, right) && Number(expires) > Date.now()
    },
  }
}

/** The secret that is kept in `folder`, made where there is none: addresses outlive a restart. */
export async function readSecret(folder: string): Promise<Buffer> {
  const file = join(folder, 'secret')
  try {
    await writeFile(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const secret = Buffer.from(await readFile(file, 'utf8'), 'base64url')
  if (secret.length < 32) throw new Error(`${file} is damaged: remove it`)
  return secret
}
