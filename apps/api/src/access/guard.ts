import { describeError } from '@ps/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Parts } from '../parts.js'
import { Problem } from '../problem.js'
import { createRequestCheck } from '../trusted-request.js'
import { createAuthentication } from './authentication.js'
import type { Credential, Scope } from './credential.js'
import { createCrossOrigin } from './cross-origin.js'
import { createRateLimits } from './rate-limits.js'
import { forbidden } from './unauthorized.js'

/**
 * Who may ask for a route. `open`: everyone, and other sites may link to it. `signed`: whoever has a signed address.
 * `ticket`: whoever has a credential or a ticket. A scope: whoever has a credential with it. By default: whoever has one.
 */
export type Access = 'open' | 'signed' | 'ticket' | Scope

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. There is none where everyone may. */
    credential: Credential
  }
}

export interface GuardOptions {
  readonly parts: Parts
  /** The port on which the server listens. */
  readonly port: () => number
}

/** Has every request answered only where whoever asks may, and not too often. */
export async function guardAccess(app: FastifyInstance, { parts, port }: GuardOptions): Promise<void> {
  const { configuration, log, url, sessions, tickets } = parts
  const { access: settings, host, allowedHosts } = configuration
  const check = createRequestCheck({ host, port, url, allowedHosts, origins: settings.origins })
  const authenticate = createAuthentication({
    ...settings,
    sessions,
    tickets,
    onNoKeys: (error) => log.warn(`the keys at API_JWKS_URL cannot be had: ${describeError(error)}`),
  })
  const crossOrigin = createCrossOrigin(settings.origins)
  const limits = await createRateLimits(app, settings)
  app.decorateRequest('credential')

  app.addHook('onRequest', async (request, reply) => {
    const { access, isStream = false } = request.routeOptions.config
    crossOrigin.mark(request, reply)
    const mayUseCookie = check(request.raw, { isOpen: access === 'open', isStream })
    // Engines ask as often as they must, and cannot without us.
    if (access === 'signed') return undefined
    await limits.countAddress(request)
    refuseTokenInAddress(request)
    if (crossOrigin.isPreflight(request)) return reply.code(204).send()
    if (access === 'open') return undefined
    const { headers } = request
    const ticket = access === 'ticket' ? ticketOf(request) : undefined
    request.credential = await authenticate({ headers, ticket, mayUseCookie })
    await limits.countCredential(request)
    const isScope = access !== undefined && access !== 'ticket'
    if (isScope && !request.credential.claims.scopes.includes(access)) {
      throw forbidden(`this needs a token with the scope ${access}`)
    }
    return undefined
  })
}

function ticketOf({ query }: FastifyRequest): string | undefined {
  const { ticket } = query as Readonly<Record<string, string | string[] | undefined>>
  return Array.isArray(ticket) ? '' : ticket
}

/** Addresses are kept in logs and histories: a token that counts for long must not be in one. */
function refuseTokenInAddress({ query }: FastifyRequest): void {
  const names = Object.keys(query as object)
  if (!names.some((name) => /^(?:access_)?token$|^api_key$|^authorization$/i.test(name))) return
  throw new Problem(
    400,
    'a token must not be in an address, which ends up in logs: replace it, and send the new one as Authorization: Bearer, or get a ticket from POST /v1/tickets',
    { code: 'token_in_address' },
  )
}
