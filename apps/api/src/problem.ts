import { STATUS_CODES } from 'node:http'
import { isPubSubError, type PubSubErrorCode } from '@ps/core'

export interface ProblemDetails {
  /** A stable word for programs. */
  readonly code?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer that says what went wrong. The message is a sentence for the person who asked. */
export class Problem extends Error {
  readonly status: number
  readonly code: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, detail: string, { code, headers = {} }: ProblemDetails = {}) {
    super(detail)
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.headers = headers
  }

  /** As RFC 9457 says. */
  body(): Record<string, unknown> {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      ...(this.code !== undefined && { code: this.code }),
    }
  }
}

export const problemType = 'application/problem+json'

const clientStatuses: Partial<Record<PubSubErrorCode, number>> = {
  closed: 503,
  invalid_channel: 400,
  invalid_message: 400,
  message_too_large: 413,
  not_permitted: 403,
}

/** What an error means to whoever asked; undefined where it is a defect of ours. */
export function asProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  if (isPubSubError(error)) {
    const status = clientStatuses[error.code]
    return status === undefined ? undefined : new Problem(status, error.message, { code: error.code })
  }
  if (!(error instanceof Error)) return undefined
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Problem(507, 'there is no room left for it on the server', { code: 'no_room' })
  }
  // Fastify's own: bad bodies, bad types, bad parameters.
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined
  return new Problem(statusCode, error.message)
}
