import { problemAnswers } from '../problem-answers.js'

const tags = ['jobs']
const count = { type: 'integer', minimum: 0 } as const

const job = {
  type: 'object',
  required: ['id', 'kind', 'state', 'name', 'engine', 'createdAt', 'rows', 'rejected', 'bytes', 'revision'],
  properties: {
    id: { type: 'string' },
    kind: { type: 'string' },
    state: { type: 'string', enum: ['queued', 'running', 'done', 'failed', 'cancelled', 'lost'] },
    name: { type: 'string' },
    engine: { type: 'string' },
    createdAt: { type: 'string', format: 'date-time' },
    startedAt: { type: 'string', format: 'date-time' },
    endedAt: { type: 'string', format: 'date-time' },
    rows: count,
    rejected: count,
    bytes: count,
    totalBytes: count,
    error: { type: 'string' },
    revision: count,
    upload: { type: 'string', description: 'To start another job on, until this one has ended' },
  },
} as const

const rejectedRow = {
  type: 'object',
  required: ['line', 'reason'],
  properties: { line: { type: 'integer', minimum: 1 }, reason: { type: 'string' } },
} as const

const column = {
  type: 'object',
  required: 'name type count nulls distinct distinctExact min max mean frequent frequentExact'.split(' '),
  properties: {
    name: { type: 'string' },
    type: { type: 'string', enum: ['integer', 'number', 'boolean', 'date', 'datetime', 'string', 'empty'] },
    count,
    nulls: count,
    distinct: { ...count, description: 'Where distinctExact is false there are more' },
    distinctExact: { type: 'boolean' },
    min: { type: ['number', 'string', 'boolean', 'null'] },
    max: { type: ['number', 'string', 'boolean', 'null'] },
    mean: { type: ['number', 'null'] },
    frequent: {
      type: 'array',
      items: {
        type: 'object',
        required: ['value', 'count'],
        properties: { value: { type: 'string' }, count },
      },
    },
    frequentExact: { type: 'boolean' },
  },
} as const

const detailedJob = {
  ...job,
  properties: {
    ...job.properties,
    columns: { type: 'array', items: column },
    rejects: { type: 'array', items: rejectedRow, description: 'The first 1,000' },
    truncated: { type: 'boolean', description: 'Whether something was left out to keep it short' },
  },
} as const

const jobRequest = {
  type: 'object',
  required: ['kind', 'source'],
  additionalProperties: false,
  properties: {
    kind: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,63}$' },
    source: {
      type: 'object',
      oneOf: [
        { required: ['upload'], properties: { upload: { type: 'string' } }, additionalProperties: false },
        {
          required: ['url'],
          properties: { url: { type: 'string', maxLength: 8192 } },
          additionalProperties: false,
        },
      ],
    },
    name: { type: 'string' },
    format: { type: 'string', enum: ['csv', 'ndjson'] },
  },
} as const

const params = { type: 'object', properties: { id: { type: 'string', pattern: '^[\\w-]{1,100}$' } } } as const
const file = { schema: {} } as const

/** What `/openapi.json` says of the jobs, and what is checked of a request for one. */
export const jobSchemas = {
  create: {
    summary: 'Start a job on a file, or on what lies elsewhere',
    tags,
    querystring: {
      type: 'object',
      properties: { name: { type: 'string', description: 'What people call the file' } },
    },
    body: {
      content: {
        'text/csv': file,
        'application/x-ndjson': file,
        'application/ndjson': file,
        'application/json': { schema: jobRequest },
      },
    },
    response: {
      202: { description: 'The job', headers: { location: { type: 'string' } }, ...job },
      ...problemAnswers(507),
    },
  },
  list: {
    summary: 'All jobs, newest first',
    tags,
    response: { 200: { description: 'Jobs', type: 'array', items: job } },
  },
  get: {
    summary: 'One job, with what it found',
    tags,
    params,
    response: { 200: { description: 'The job', ...detailedJob }, ...problemAnswers(404) },
  },
  rejects: {
    summary: 'Every rejected row',
    tags,
    params,
    response: {
      200: {
        description: 'One row a line',
        content: { 'application/x-ndjson': { schema: { type: 'string' } } },
      },
      ...problemAnswers(404, 409),
    },
  },
  cancel: {
    summary: 'Cancel a job',
    tags,
    params,
    response: {
      200: { description: 'It was cancelled before', ...job },
      202: { description: 'It is told to stop', ...job },
      ...problemAnswers(404, 409),
    },
  },
}
