import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../problem.js'
import type { AccessConfiguration } from './access-configuration.js'

const timeWindow = 60_000

/** How often somebody may ask. Each rejects with a Problem where it is too often. */
export interface RateLimits {
  countAddress(request: FastifyRequest): Promise<void>
  countCredential(request: FastifyRequest): Promise<void>
}

export async function createRateLimits(
  app: FastifyInstance,
  { addressRate, credentialRate }: AccessConfiguration,
): Promise<RateLimits> {
  await app.register(rateLimit, { global: false })

  const counter = (max: number, variable: string, keyGenerator?: (request: FastifyRequest) => string) => {
    if (max === 0) return () => Promise.resolve()
    const count = app.createRateLimit({ max, timeWindow, ...(keyGenerator && { keyGenerator }) })
    return async (request: FastifyRequest): Promise<void> => {
      const state = await count(request)
      if (state.isAllowed || !state.isExceeded) return
      throw new Problem(429, `more than ${max} requests in a minute: wait, or raise ${variable}`, {
        code: 'too_many_requests',
        headers: { 'retry-after': String(state.ttlInSeconds) },
      })
    }
  }

  return {
    countAddress: counter(addressRate, 'API_ADDRESS_RATE'),
    // A session and the tickets for it count with the token that they were given for.
    countCredential: counter(credentialRate, 'API_CREDENTIAL_RATE', ({ credential }) => credential.name),
  }
}
