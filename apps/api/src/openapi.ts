import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { RouteOptions } from 'fastify'
import { problemAnswers, type ProblemStatus } from './problem-answers.js'

const description = `Publish, stream channels, run jobs.

Every error is an application/problem+json, also those that no operation lists, since they come before one is found: 404 and 405,
408 where the headers do not come in time, 417 for an expectation other than 100-continue, 431 for headers that are too long; and
500, our own fault.`

const schemes = {
  token: { type: 'http', scheme: 'bearer' },
  session: { type: 'apiKey', in: 'cookie', name: 'ps-session', description: '__Host-ps-session over TLS' },
  ticket: {
    type: 'apiKey',
    in: 'query',
    name: 'ticket',
    description: 'From POST /v1/tickets, good for 30 s',
  },
} as const

/** What `/openapi.json` says beside what each route does. `isGuarded`: a credential is needed. */
export const openapiOptions = (isGuarded: boolean): FastifyDynamicSwaggerOptions => ({
  openapi: {
    openapi: '3.1.0',
    info: { title: 'Pub/sub', description, version: '1' },
    ...(isGuarded && {
      components: { securitySchemes: schemes },
      security: [{ token: [] }, { session: [] }],
    }),
  },
  refResolver: {
    buildLocalReference: ({ $id }, _base, _fragment, index) =>
      typeof $id === 'string' ? $id : `schema-${index}`,
  },
  transform: ({ schema, url, route }) => ({ schema: withCommonAnswers(schema ?? {}, route, isGuarded), url }),
})

type Schema = NonNullable<RouteOptions['schema']>

/** What a route need not say of itself, since it follows from its method, its address and who may ask. */
function withCommonAnswers(
  schema: Schema,
  { method, url, config }: RouteOptions,
  isGuarded: boolean,
): Schema {
  const isOpen = config?.access === 'open'
  const isSafe = method === 'GET'
  const statuses: ProblemStatus[] = [
    400,
    421,
    429,
    ...(isOpen ? [] : ([401, 503] as const)),
    ...(isOpen && isSafe ? [] : ([403] as const)),
    ...(isSafe ? [] : ([408, 413, 415] as const)),
    ...(url.includes(':') ? ([414] as const) : []),
  ]
  const { security, ...rest } = schema
  const credentials = isOpen
    ? []
    : config?.access === 'ticket'
      ? Object.keys(schemes).map((name) => ({ [name]: [] }))
      : security
  return {
    ...rest,
    response: { ...problemAnswers(...statuses), ...(schema.response as object | undefined) },
    ...(isGuarded && credentials && { security: credentials }),
  }
}
