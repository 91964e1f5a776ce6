import { type ClientRequest, get as httpGet, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { get as httpsGet } from 'node:https'
import type { LookupFunction } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { JobFailure } from '../job-failure.js'

/** How long a source may stay away before the job fails, in milliseconds. An api restarts well within. */
const patience = 60_000
const pauseBetweenAttempts = 500
/** How long an open response may bring nothing, in milliseconds. */
const idleTimeout = 30_000
const maxRedirects = 5

export interface HttpSourceOptions {
  readonly url: string
  readonly signal: AbortSignal
  /** How the name is resolved, for every request, redirects included. Throws where the address must not be asked. */
  readonly lookupFor: (url: URL) => LookupFunction | undefined
  /** Told the length of the input when it becomes known, in bytes. */
  readonly onSize?: ((bytes: number) => void) | undefined
}

/**
 * Reads an HTTP address as a stream of chunks, at the reader's pace. Where the connection breaks, it goes on at the byte
 * where it stopped, as long as the server can do that and comes back within 60 s.
 */
export async function* readHttpSource(options: HttpSourceOptions): AsyncGenerator<Uint8Array, void> {
  const { signal } = options
  let offset = 0
  let end: number | undefined
  let first: IncomingHttpHeaders = {}
  let givesUpAt = Date.now() + patience
  for (;;) {
    try {
      const response = await open(options, offset)
      if (offset > 0) checkContinuation(response, first, offset)
      else first = response.headers
      const length = Number(response.headers['content-length'])
      if (end === undefined && Number.isSafeInteger(length)) {
        end = offset + length
        options.onSize?.(end)
      }
      for await (const chunk of response as AsyncIterable<Buffer>) {
        offset += chunk.length
        givesUpAt = Date.now() + patience
        yield chunk
      }
      if (end === undefined || offset >= end) return
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof JobFailure) throw error
      if (isCode(error, 'EACCES')) throw new JobFailure(`the input cannot be read: ${messageOf(error)}`)
      if (Date.now() > givesUpAt) {
        throw new JobFailure(`the input cannot be read any more after ${offset} bytes: ${messageOf(error)}`)
      }
    }
    await delay(pauseBetweenAttempts, undefined, { signal })
  }
}

/** Throws where a response does not go on where the connection broke, or in another version of the input. */
function checkContinuation(response: IncomingMessage, first: IncomingHttpHeaders, offset: number): void {
  const { headers } = response
  const [, start] = /^bytes (\d+)-/.exec(headers['content-range'] ?? '') ?? []
  const isAnother = (['etag', 'last-modified'] as const).some(
    (name) => headers[name] !== undefined && first[name] !== undefined && headers[name] !== first[name],
  )
  const reason =
    Number(start) !== offset
      ? 'its server cannot go on where it stopped'
      : isAnother
        ? 'it has changed meanwhile'
        : undefined
  if (reason === undefined) return
  response.destroy()
  throw new JobFailure(`the connection to the input broke, and ${reason}`)
}

async function open(options: HttpSourceOptions, offset: number): Promise<IncomingMessage> {
  let url = new URL(options.url)
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const response = await request(url, options.lookupFor(url), options.signal, offset)
    const { statusCode = 0, headers } = response
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      response.destroy()
      if (!URL.canParse(headers.location, url.href)) {
        throw new JobFailure('the input cannot be read: its server redirects to what is no address')
      }
      url = new URL(headers.location, url)
      continue
    }
    const isContinued = offset > 0 && statusCode === 206
    if (isContinued || (offset === 0 && statusCode === 200)) return response
    response.destroy()
    if (statusCode === 200)
      throw new JobFailure('the connection to the input broke, and its server cannot go on where it stopped')
    if (statusCode >= 500 || statusCode === 429) throw new Error(`its server answered ${statusCode}`)
    throw new JobFailure(`the input cannot be read: its server answered ${statusCode}`)
  }
  throw new JobFailure(`the input cannot be read: its server redirects more than ${maxRedirects} times`)
}

function request(
  url: URL,
  lookup: LookupFunction | undefined,
  signal: AbortSignal,
  offset: number,
): Promise<IncomingMessage> {
  const get = url.protocol === 'https:' ? httpsGet : httpGet
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = get(
      url,
      {
        signal,
        // A connection that is still there from another job was made without the check of where the name leads.
        agent: false,
        headers: {
          accept: '*/*',
          'accept-encoding': 'identity',
          ...(offset > 0 && { range: `bytes=${offset}-` }),
        },
        ...(lookup && { lookup }),
      },
      resolve,
    )
    sent.setTimeout(idleTimeout, () => sent.destroy(new Error(`nothing came for ${idleTimeout / 1_000} s`)))
    sent.on('error', reject)
  })
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
