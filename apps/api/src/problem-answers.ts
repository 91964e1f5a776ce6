import { problemType } from './problem.js'

const descriptions = {
  400: 'A bad parameter, body or Host header, or a token in the address',
  401: 'No credential, or one that is wrong or has ended',
  403: 'The credential is not good for it, or another web site asks',
  404: 'There is no such thing',
  408: 'The body did not come in time',
  409: 'It is not in a state for it',
  413: 'The body is too long',
  414: 'A parameter in the path is too long',
  415: 'Another type of body, or a compressed one',
  421: 'The Host header is no name of this server',
  429: 'Too many requests',
  503: 'No broker, no engine, no keys to check a token with, or this server is stopping',
  507: 'There is no room for it',
} as const

const headers: Partial<Record<ProblemStatus, object>> = {
  401: { 'www-authenticate': { type: 'string', description: 'As RFC 6750 says' } },
  429: { 'retry-after': { type: 'integer', description: 'Seconds to wait' } },
}

export type ProblemStatus = keyof typeof descriptions

/** What every error looks like, by the name of `$id` in the document. */
export const problemSchema = {
  $id: 'Problem',
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', const: 'about:blank' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'For people' },
    code: { type: 'string', description: 'For programs, where they may want to tell cases apart' },
  },
} as const

/** The answers of a route that say what went wrong, for its schema. */
export const problemAnswers = (...statuses: readonly ProblemStatus[]): Readonly<Record<number, object>> =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: descriptions[status],
        content: { [problemType]: { schema: { $ref: 'Problem#' } } },
        ...(headers[status] && { headers: headers[status] }),
      },
    ]),
  )
