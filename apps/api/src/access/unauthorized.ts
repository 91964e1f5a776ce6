import { Problem } from '../problem.js'

/** The answer to who has not proven that they may ask. Without a code nothing was sent that could be wrong. */
export const unauthorized = (detail: string, code?: 'bad_token' | 'expired_token'): Problem =>
  new Problem(401, detail, {
    code: code ?? 'unauthorized',
    headers: { 'www-authenticate': code === undefined ? 'Bearer' : 'Bearer error="invalid_token"' },
  })

/** The answer to who has, and may not do this. */
export const forbidden = (detail: string): Problem =>
  new Problem(403, detail, {
    code: 'insufficient_scope',
    headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' },
  })
