import type { Health } from '@ps/core'
import type { Column, EngineAnnouncement, Job, RejectedRow } from '@ps/jobs'
import type { StreamOverview } from '../src/stream-overview.js'

/** What `GET /readyz` says. */
export interface ServerHealth extends Health {
  /** In development: things can be made to go wrong on purpose. */
  readonly faults?: boolean
}

/** One job with what it found, as `GET /v1/jobs/{id}` gives it. */
export interface JobDetail extends Job {
  readonly columns?: readonly Column[]
  readonly rejects?: readonly RejectedRow[]
  readonly truncated?: boolean
}

/** An api that answered with an error, or none that could be reached; the message is for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

export interface ApiOptions {
  /** A call was refused because there is no session, or no longer one. */
  readonly onUnauthorized: () => void
}

export interface Api {
  /** Trades the server's token for a cookie that no script can read. */
  beginSession(token: string): Promise<void>
  jobs(): Promise<readonly Job[]>
  job(id: string): Promise<JobDetail>
  cancel(id: string): Promise<void>
  engines(): Promise<readonly EngineAnnouncement[]>
  streams(): Promise<StreamOverview>
  /** `json` is sent as it is. */
  publish(channel: string, json: string): Promise<void>
  health(): Promise<ServerHealth>
  /** In development only, as the next one. */
  cutStream(id: string): Promise<void>
  drain(): Promise<void>
}

export const rejectsPath = (id: string): string => `/v1/jobs/${encodeURIComponent(id)}/rejects`

/** The api that served this page. */
export function createApi({ onUnauthorized }: ApiOptions): Api {
  const send = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(path, { ...init, cache: 'no-store' })
    if (response.status === 401) onUnauthorized()
    return response
  }

  const call = async (path: string, init?: RequestInit): Promise<Response> => {
    const response = await send(path, init).catch(() => {
      throw new ApiError('The server cannot be reached.', 0)
    })
    if (!response.ok) throw await problemOf(response)
    return response
  }

  return {
    async beginSession(token) {
      await call('/v1/session', { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    },
    jobs: async () => (await (await call('/v1/jobs')).json()) as readonly Job[],
    job: async (id) => (await (await call(`/v1/jobs/${encodeURIComponent(id)}`)).json()) as JobDetail,
    async cancel(id) {
      await call(`/v1/jobs/${encodeURIComponent(id)}`, { method: 'DELETE' })
    },
    engines: async () => (await (await call('/v1/engines')).json()) as readonly EngineAnnouncement[],
    streams: async () => (await (await call('/v1/streams')).json()) as StreamOverview,
    async publish(channel, json) {
      // An address cannot hold these as one of its parts, not even escaped.
      if (channel === '.' || channel === '..') {
        throw new ApiError(`Over HTTP nothing can be published on a channel named “${channel}”.`, 400)
      }
      await call(`/v1/channels/${encodeURIComponent(channel)}/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: json,
      })
    },
    async health() {
      const response = await send('/readyz').catch(() => {
        throw new ApiError('The server cannot be reached.', 0)
      })
      // 503 is the answer of a server whose brokers are down: it still says how they are.
      if (!response.ok && response.status !== 503) throw await problemOf(response)
      // A proxy in front of it answers 503 in words of its own.
      if (!response.headers.get('content-type')?.startsWith('application/json'))
        throw await problemOf(response)
      return (await response.json()) as ServerHealth
    },
    async cutStream(stream) {
      await call('/v1/faults/cut', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ stream }),
      })
    },
    async drain() {
      await call('/v1/faults/drain', { method: 'POST' })
    },
  }
}

/** What an answer of the api says went wrong. */
async function problemOf(response: Response): Promise<ApiError> {
  return new ApiError(problemText(await response.text().catch(() => ''), response.status), response.status)
}

/** The words in a body of `application/problem+json`; others get the status. */
export function problemText(body: string, status: number): string {
  if (status === 401) return 'The token is missing, wrong or expired.'
  try {
    const problem: unknown = JSON.parse(body)
    if (typeof problem === 'object' && problem !== null) {
      if ('detail' in problem && typeof problem.detail === 'string') return problem.detail
      if ('title' in problem && typeof problem.title === 'string') return problem.title
    }
  } catch {
    // A proxy's page of HTML, say: its status is all that can be told.
  }
  return `The server answered ${status}.`
}
