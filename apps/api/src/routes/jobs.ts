import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { isEnded, type JobFormat, type JobSource, refuseSource } from '@ps/jobs'
import type { FastifyInstance } from 'fastify'
import { noEngine } from '../assignments.js'
import type { Upload } from '../job-files.js'
import type { DetailedJob, ListedJob } from '../jobs.js'
import type { Parts } from '../parts.js'
import { Problem } from '../problem.js'
import { fileNameOf, tidyName } from '../upload-name.js'
import { tooLong } from '../uploads.js'
import { rejectsPath, uploadPath } from './internal.js'
import { jobSchemas } from './job-schemas.js'

const formats: Readonly<Record<string, JobFormat>> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
}

interface JobRequest {
  readonly kind: string
  readonly source: { readonly upload: string } | { readonly url: string }
  readonly name?: string
  readonly format?: JobFormat
}

interface JobInput {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly source: JobSource
  readonly upload?: Upload
}

export function registerJobRoutes(app: FastifyInstance, parts: Parts): void {
  const { configuration, engines, jobs, assignments, cancellations, uploads, rejects, signer, url } = parts

  const begin = async ({ id, kind, name, source, upload }: JobInput): Promise<DetailedJob> => {
    const createdAt = new Date().toISOString()
    const rejectsUrl = `${url()}${signer.sign('PUT', rejectsPath(id))}`
    await assignments.assign({ id, kind, name, createdAt, source, rejectsUrl }, upload)
    return known(await jobs.detailed(id))
  }

  const uploadSource = ({ id, format, size }: Upload): JobSource => ({
    type: 'upload',
    format,
    size,
    url: `${url()}${signer.sign('GET', uploadPath(id))}`,
  })

  const beginWithBody = async (body: Readable, name: string, format: JobFormat): Promise<DetailedJob> => {
    const id = randomUUID()
    const upload: Upload = { id, format, size: await uploads.receive(id, body) }
    try {
      return await begin({ id, kind: 'profile', name, source: uploadSource(upload), upload })
    } catch (error) {
      await uploads.remove(id)
      throw error
    }
  }

  const beginAgain = async (uploadId: string, { kind, name, format }: JobRequest): Promise<DetailedJob> => {
    const held = jobs.holdUpload(uploadId)
    try {
      if (held === undefined || (await uploads.size(uploadId)) === undefined) {
        throw new Problem(400, 'there is no such upload: it is kept only until its job has ended', {
          code: 'unknown_upload',
        })
      }
      const upload = { ...held.upload, format: format ?? held.upload.format }
      const source = uploadSource(upload)
      return await begin({ id: randomUUID(), kind, name: tidyName(name) ?? 'upload', source, upload })
    } finally {
      held?.release()
    }
  }

  const beginElsewhere = async (request: JobRequest): Promise<DetailedJob> => {
    const { kind, source, name, format } = request
    if ('upload' in source) return beginAgain(source.upload, request)
    const address = URL.canParse(source.url) ? new URL(source.url) : undefined
    const reason =
      address === undefined
        ? 'it is no address: begin with https://'
        : await refuseSource(address, configuration.allowedSources)
    if (address === undefined || reason !== undefined) {
      throw new Problem(400, `this source cannot be used: ${reason}`, { code: 'bad_source' })
    }
    const fileName = fileNameOf(address)
    const isLines = /\.(?:ndjson|jsonl)$/i.test(fileName)
    return begin({
      id: randomUUID(),
      kind,
      name: tidyName(name) ?? tidyName(fileName) ?? address.hostname,
      source: { type: 'url', format: format ?? (isLines ? 'ndjson' : 'csv'), url: address.href },
    })
  }

  void app.register(async (scope) => {
    scope.addContentTypeParser(Object.keys(formats), (_request, body, done) => done(null, body))
    scope.post<{ Querystring: { name?: string }; Body: Readable | JobRequest | undefined }>(
      '/v1/jobs',
      {
        config: { access: 'jobs' },
        schema: jobSchemas.create,
        // Before the body is asked for.
        async onRequest({ headers }) {
          const { maxUploadBytes } = configuration
          const length = Number(headers['content-length'] ?? 0)
          if (length > maxUploadBytes) throw tooLong(maxUploadBytes)
          uploads.checkRoom(length)
          if ((headers['content-encoding'] ?? 'identity') !== 'identity')
            throw new Problem(415, 'send the file uncompressed, without a Content-Encoding')
          if (parts.isDraining()) throw new Problem(503, 'this server is stopping', { code: 'draining' })
          if (!parts.isConnected())
            throw new Problem(503, 'no broker is up, so no engine can be reached', { code: 'no_broker' })
          if (engines.candidates().length === 0) throw noEngine()
        },
      },
      async (request, reply) => {
        const { body, query, headers } = request
        if (body === undefined) {
          throw new Problem(
            415,
            `send the file itself as ${Object.keys(formats).join(', ')}, or application/json`,
          )
        }
        const [type = ''] = (headers['content-type'] ?? '').split(';')
        const format = formats[type.trim().toLowerCase()] ?? 'csv'
        const name = tidyName(query.name) ?? tidyName(fileNameOf(headers['content-disposition']))
        const job = await (body instanceof Readable
          ? beginWithBody(body, name ?? `upload.${format}`, format)
          : beginElsewhere(body))
        parts.log.info({ job: job.id, engine: job.engine, bytes: job.totalBytes }, 'job begun')
        return reply.code(202).header('location', `/v1/jobs/${job.id}`).send(job)
      },
    )
  })

  app.get('/v1/jobs', { config: { access: 'jobs' }, schema: jobSchemas.list }, () => jobs.list())

  app.get<{ Params: { id: string } }>(
    '/v1/jobs/:id',
    { config: { access: 'jobs' }, schema: jobSchemas.get },
    async (request) => known(await jobs.detailed(request.params.id)),
  )

  app.get<{ Params: { id: string } }>(
    '/v1/jobs/:id/rejects',
    { config: { access: 'jobs' }, schema: jobSchemas.rejects, exposeHeadRoute: false },
    async (request, reply) => {
      const { id, state, name } = known(jobs.get(request.params.id))
      if (state !== 'done') {
        throw new Problem(409, `the job is ${state}: its rejected rows are there when it is done`, {
          code: 'not_done',
        })
      }
      reply.headers({
        'content-type': 'application/x-ndjson; charset=utf-8',
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name.toWellFormed())}.rejects.ndjson`,
      })
      const size = await rejects.size(id)
      if (size !== undefined) return reply.header('content-length', size).send(rejects.read(id))
      const result = await jobs.result(id)
      return (result?.rejects ?? []).map((row) => `${JSON.stringify(row)}\n`).join('')
    },
  )

  app.delete<{ Params: { id: string } }>(
    '/v1/jobs/:id',
    { config: { access: 'jobs' }, schema: jobSchemas.cancel },
    async (request, reply) => {
      const job = known(jobs.get(request.params.id))
      if (job.state === 'cancelled') return job
      if (isEnded(job.state)) {
        throw new Problem(409, `the job is ${job.state}: there is nothing to cancel`, { code: 'ended' })
      }
      if (!(await cancellations.cancel(job))) {
        throw new Problem(503, 'no broker is known to have the cancellation: try again', {
          code: 'not_accepted',
        })
      }
      return reply.code(202).send(known(jobs.get(job.id)))
    },
  )
}

function known<Found extends ListedJob>(job: Found | undefined): Found {
  if (job === undefined) throw new Problem(404, 'there is no such job', { code: 'unknown_job' })
  return job
}
