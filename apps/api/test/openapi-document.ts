import formats from 'ajv-formats'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Answer } from './ask.js'

interface DocumentedAnswer {
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}

export interface Operation {
  readonly security?: readonly object[]
  readonly responses: Readonly<Record<string, DocumentedAnswer>>
}

/** What a server says of itself in `/openapi.json`. */
export interface OpenapiDocument {
  /** By `GET /v1/jobs/{id}`. */
  readonly operations: ReadonlyMap<string, Operation>
  /** What is wrong with an answer, in words; undefined where the document says the same. */
  complaint(operation: string, answer: Pick<Answer, 'status' | 'headers' | 'text'>): string | undefined
}

const documentId = 'https://api.example/openapi.json'

const pointer = (...path: readonly string[]): string =>
  path.map((each) => `/${encodeURIComponent(each.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')

/** Members that a schema does not name count as wrong. */
export function readOpenapiDocument(document: Readonly<Record<string, unknown>>): OpenapiDocument {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addSchema({ ...(closed(document) as object), $id: documentId })
  const operations = new Map<string, Operation>()
  for (const [path, methods] of Object.entries(document.paths as Record<string, Record<string, Operation>>))
    for (const [method, operation] of Object.entries(methods))
      operations.set(`${method.toUpperCase()} ${path}`, operation)

  return {
    operations,
    complaint(name, { status, headers, text }) {
      const documented = operations.get(name)?.responses[status]
      const told = `${name} answered ${status}`
      if (documented === undefined) return `${told}, which the document does not list`
      const missing = Object.keys(documented.headers ?? {}).filter((each) => headers[each] === undefined)
      if (missing.length > 0) return `${told} without the header ${missing.join(', ')}`
      const type = headers['content-type']?.split(';')[0]
      if (documented.content === undefined) return text === '' ? undefined : `${told} with a body`
      if (type === undefined || documented.content[type] === undefined)
        return `${told} as ${type}, not as ${Object.keys(documented.content).join(' or ')}`
      const [method = '', path = ''] = name.split(' ')
      const place = pointer('paths', path, method.toLowerCase(), 'responses', String(status), 'content', type)
      const body: unknown = type.endsWith('json') && !type.endsWith('ndjson') ? JSON.parse(text) : text
      const $ref = `${documentId}#${place}/schema`
      if (ajv.validate({ $ref }, body)) return undefined
      return `${told} with another body than its schema: ${ajv.errorsText()}: ${text.slice(0, 500)}`
    },
  }
}

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const members = Object.entries(schema).map(([name, value]) => [name, closed(value)])
  const isObject = 'type' in schema && [schema.type].flat().includes('object')
  const isOpen = 'additionalProperties' in schema || 'oneOf' in schema
  return { ...Object.fromEntries(members), ...(isObject && !isOpen && { additionalProperties: false }) }
}
