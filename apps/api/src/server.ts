import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { type Access, guardAccess } from './access/guard.js'
import { farewellHeaders, limitFarewell } from './access/limit-farewell.js'
import { createAllowedMethods } from './allowed-methods.js'
import { withBodyDeadline } from './body-deadline.js'
import type { DashboardFile } from './dashboard-files.js'
import { openapiOptions } from './openapi.js'
import type { Parts } from './parts.js'
import { createQueuedAnswers } from './queued-answers.js'
import { asProblem, Problem, problemType } from './problem.js'
import { problemSchema } from './problem-answers.js'
import { registerAccessRoutes } from './routes/access.js'
import { registerChannelRoutes } from './routes/channels.js'
import { pagePolicy, registerDashboardRoutes } from './routes/dashboard.js'
import { registerEngineRoutes } from './routes/engines.js'
import { registerEventRoutes } from './routes/events.js'
import { registerFaultRoutes } from './routes/faults.js'
import { registerInternalRoutes } from './routes/internal.js'
import { registerJobRoutes } from './routes/jobs.js'
import { registerOperationRoutes } from './routes/operations.js'
import { registerStreamRoutes } from './routes/streams.js'
import { createUnreadableRequests, refuseTooManyHeaders } from './unreadable-requests.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    isStream?: boolean
  }
}

/** A body that nobody will read is taken in for so long, in milliseconds, so that its sender sees the answer. */
const lingerTime = 2_000

export interface ServerOptions {
  readonly parts: Parts
  readonly dashboard: ReadonlyMap<string, DashboardFile>
  readonly port: () => number
}

/** The HTTP server with all its routes, not listening yet. */
export async function buildServer({ parts, dashboard, port }: ServerOptions): Promise<FastifyInstance> {
  const { configuration, log } = parts
  const { access } = configuration
  const isGuarded = access.token !== undefined || access.jwt !== undefined
  const { requestTimeout } = configuration
  const unreadable = createUnreadableRequests()
  const app = fastify({
    // We say ourselves where we listen, and what was asked for.
    loggerInstance: log.child(
      {},
      { level: log.isLevelEnabled('info') ? 'warn' : log.level },
    ) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // A channel's name has up to 255 bytes; a longer one is told so by the client.
    routerOptions: { maxParamLength: 4_096 },
    trustProxy: access.trustedProxies.length > 0 && [...access.trustedProxies],
    // A whole body may take longer: a file is one.
    http: {
      requireHostHeader: false,
      headersTimeout: requestTimeout,
      connectionsCheckingInterval: Math.min(requestTimeout, 5_000),
    },
    clientErrorHandler: unreadable.answer,
    // What comes on a connection that is still open is answered as ever: by itself Fastify would in a form of its own.
    return503OnClosing: false,
    ajv: { customOptions: { removeAdditional: false } },
    frameworkErrors: (error, _request, reply) => {
      const problem = asProblem(error) ?? new Problem(400, 'this request cannot be read')
      reply.raw.writeHead(problem.status, { 'content-type': problemType })
      reply.raw.end(JSON.stringify(problem.body()))
    },
  })
  unreadable.watch(app.server)

  const queued = createQueuedAnswers()
  app.addHook('onRequest', async (request, reply) => queued.watch(request.raw.socket, reply.raw))

  const methods = createAllowedMethods()
  app.addHook('onRoute', (route) => methods.add(route.url, route.method))

  // What we declare is for the reader of /openapi.json; nothing is left out of an answer because of it.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      if (!isUtf8(body as Buffer)) throw new Error('it is not UTF-8')
      done(null, JSON.parse(body.toString()))
    } catch (error) {
      const why = error instanceof Error ? error.message : 'it cannot be read'
      done(new Problem(400, `the body is not JSON: ${why}`, { code: 'invalid_json' }))
    }
  })

  // Whoever asks before sending a body is answered by the checks first.
  const expectant = new WeakSet<IncomingMessage>()
  app.server.on('checkContinue', (request, response) => {
    expectant.add(request)
    app.routing(request, response)
  })
  app.addHook('preParsing', async (request, reply, body: Readable) => {
    if (expectant.has(request.raw)) reply.raw.writeContinue()
    const isWhole = request.headers['content-type']?.toLowerCase().startsWith('application/json') ?? false
    return isWhole ? withBodyDeadline(body, { timeout: requestTimeout, of: 'whole' }) : body
  })

  // A client may go before the answer has ended, or after hours: only `close` comes in every case.
  app.addHook('onRequest', async ({ method, url }, reply) => {
    reply.raw.once('close', () => {
      // An address with a server in it may hold a password, too.
      const [path] = url.replace(/^\w+:\/\/[^/?]*/, '').split('?')
      const { statusCode: status } = reply.raw
      const milliseconds = Math.round(reply.elapsedTime)
      log[status < 400 ? 'debug' : 'info']({ method, path, status, milliseconds }, 'answered')
    })
  })

  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
      // A proxy must not keep one to a server that is about to go.
      ...(parts.isDraining() && { connection: 'close' }),
    })
  })

  app.addHook('onRequest', async ({ raw }) => refuseTooManyHeaders(raw))
  await guardAccess(app, { parts, port })

  app.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('content-security-policy'))
      reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  })

  app.addHook('onResponse', async ({ raw }) => {
    if (raw.complete || raw.destroyed) return
    raw.resume()
    setTimeout(() => raw.complete || raw.destroy(), lingerTime).unref()
  })

  app.setErrorHandler((error, { method, routeOptions, headers }, reply) => {
    const known = asProblem(error)
    if (known === undefined) {
      log.error({ err: error, method, path: routeOptions.url }, 'a request failed by our fault')
    }
    const problem = known ?? new Problem(500, 'this server failed; its log says why')
    const isStream = routeOptions.config.isStream === true
    if (problem.status === 429 && isStream && headers.accept?.includes('text/event-stream')) {
      return reply.headers(farewellHeaders).send(limitFarewell(problem))
    }
    return (
      reply
        .code(problem.status)
        .headers(problem.headers)
        .type(problemType)
        // As bytes: to text of this type Fastify adds a charset, which JSON does not have.
        .send(Buffer.from(JSON.stringify(problem.body())))
    )
  })
  app.setNotFoundHandler((request) => {
    const [path = ''] = request.url.split('?')
    const allowed = methods.of(path)
    if (allowed.length === 0 || allowed.includes(request.method))
      throw new Problem(404, 'there is nothing at this address')
    throw new Problem(405, `${request.method} is not possible here`, {
      headers: { allow: allowed.join(', ') },
    })
  })

  app.addSchema(problemSchema)
  await app.register(swagger, openapiOptions(isGuarded))
  await app.register(async (docs) => {
    if (access.areDocsPublic) {
      docs.addHook('onRoute', (route) => void (route.config = { ...route.config, access: 'open' }))
    }
    await docs.register(swaggerUi, { routePrefix: '/docs', staticCSP: pagePolicy })
  })
  registerDashboardRoutes(app, dashboard)
  registerAccessRoutes(app, parts)
  registerEventRoutes(app, parts)
  registerStreamRoutes(app, parts)
  registerFaultRoutes(app, parts)
  registerChannelRoutes(app, parts)
  registerJobRoutes(app, parts)
  registerEngineRoutes(app, parts)
  registerInternalRoutes(app, parts)
  registerOperationRoutes(app, parts)
  await app.ready()
  return app
}
