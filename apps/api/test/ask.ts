import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import type { Readable } from 'node:stream'

export interface AskOptions {
  readonly method?: string
  /** Any, also those that `fetch` would not send. */
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer | Readable
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as a JSON object; throws where it is no JSON. */
  json(): Record<string, unknown>
  /** The body as a JSON array of objects. */
  list(): Record<string, unknown>[]
}

/** One request on a connection of its own. */
export function ask(url: string, { method = 'GET', headers = {}, body }: AskOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0, headers } = response
        resolve({
          status: statusCode,
          headers,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
          list: () => JSON.parse(text) as Record<string, unknown>[],
        })
        sent.destroy()
      })
    })
    sent.on('error', reject)
    if (typeof body === 'object' && 'pipe' in body) body.pipe(sent)
    else sent.end(body)
  })
}

/** A request with a JSON body. */
export const asJson = (value: unknown): AskOptions => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

/** A request with a CSV file. */
export const asCsv = (body: AskOptions['body'] = 'a,b\n1,2\n'): AskOptions => ({
  method: 'POST',
  headers: { 'content-type': 'text/csv' },
  ...(body !== undefined && { body }),
})
