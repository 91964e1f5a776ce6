const tags = ['jobs']

const job = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    kind: { type: 'string' },
    state: { type: 'string', enum: ['queued', 'running', 'done', 'failed', 'cancelled', 'lost'] },
    name: { type: 'string' },
    engine: { type: 'string' },
    createdAt: { type: 'string', format: 'date-time' },
    startedAt: { type: 'string', format: 'date-time' },
    endedAt: { type: 'string', format: 'date-time' },
    rows: { type: 'integer' },
    rejected: { type: 'integer' },
    bytes: { type: 'integer' },
    totalBytes: { type: 'integer' },
    error: { type: 'string' },
    revision: { type: 'integer' },
    upload: { type: 'string' },
  },
} as const

const detailedJob = {
  ...job,
  properties: {
    ...job.properties,
    columns: { type: 'array', items: { type: 'object' } },
    rejects: { type: 'array', items: { type: 'object' } },
    truncated: { type: 'boolean' },
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
    response: { 202: { description: 'The job', ...job } },
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
    response: { 200: { description: 'The job', ...detailedJob } },
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
    },
  },
  cancel: {
    summary: 'Cancel a job',
    tags,
    params,
    response: {
      200: { description: 'It was cancelled before', ...job },
      202: { description: 'It is told to stop', ...job },
    },
  },
}
