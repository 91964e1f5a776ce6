import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { type Client, createClient, silentLogger } from '@ps/core'
import {
  apiInbox,
  type ApiMessage,
  type EngineAnnouncement,
  engineInbox,
  enginesChannel,
  enginesInbox,
  isEnded,
  type Job,
  type JobAssignment,
  type JobChannels,
  jobsChannel,
} from '@ps/jobs'
import { waitFor } from '@ps/services/vitest'

/** What serves an input: the bytes, and what goes wrong on the way. */
export interface ServedInput {
  readonly bytes: Buffer
  /** Answers with this status instead. */
  readonly status?: number
  /** Breaks the first response after so many bytes. */
  readonly breakAfter?: number
  /** Sends so many bytes and then nothing, until it is released. */
  readonly stallAfter?: number
  /** Redirects to this address. */
  readonly redirect?: string
  /** What it says of its length instead of the truth. */
  readonly length?: string
  /** What is wrong with the response that goes on: it begins elsewhere, or is of another version. */
  readonly continues?: { readonly from?: number; readonly etag?: string }
}

/** An api as an engine sees it, on a real client and a real HTTP server. */
export interface StandInApi {
  readonly client: Client<JobChannels>
  readonly announcements: readonly EngineAnnouncement[]
  readonly answers: readonly ApiMessage[]
  readonly jobs: readonly Job[]
  /** What was PUT as rejected rows, by job. */
  readonly rejects: ReadonlyMap<string, string>
  readonly requests: readonly string[]
  assignment(input: ServedInput, change?: Partial<JobAssignment>): JobAssignment
  offer(engine: string, job: JobAssignment): Promise<ApiMessage>
  /** Offers and starts. */
  hand(engine: string, job: JobAssignment): Promise<void>
  tell(engine: string, message: { type: 'start' | 'cancel'; id: string }): Promise<void>
  askForReports(): Promise<void>
  untilState(id: string, state: Job['state']): Promise<Job>
  untilEnded(id: string): Promise<Job>
  close(): Promise<void>
}

export async function startStandInApi(databaseUrl: string, prefix: string): Promise<StandInApi> {
  const client = await createClient<JobChannels>({
    databaseUrl,
    prefix,
    environment: {},
    backends: { postgres: () => import('@ps/postgres') },
    log: silentLogger,
  })
  const announcements: EngineAnnouncement[] = []
  const answers: ApiMessage[] = []
  const jobs: Job[] = []
  const rejects = new Map<string, string>()
  const requests: string[] = []
  const inputs = new Map<string, ServedInput>()
  const inbox = apiInbox(randomUUID())
  await client.listen(enginesChannel, (message) => announcements.push(message))
  await client.listen(jobsChannel, (message) => jobs.push(message))
  await client.listen(inbox, (message) => answers.push(message))

  const http = createServer((request, response) => {
    const [, kind = '', id = ''] = (request.url ?? '').split('/')
    requests.push(`${request.method} ${kind} ${request.headers.range ?? ''}`.trim())
    if (kind === 'rejects') {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        rejects.set(id, body)
        response.end()
      })
      return
    }
    const input = inputs.get(id)
    if (input === undefined || input.redirect !== undefined || input.status !== undefined) {
      response.writeHead(input?.status ?? (input?.redirect === undefined ? 404 : 302), {
        ...(input?.redirect !== undefined && { location: input.redirect }),
      })
      response.end()
      return
    }
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const rest = input.bytes.subarray(start)
    const { length = rest.length, continues } = input
    if (start === 0) response.writeHead(200, { 'content-length': length, etag: '"1"' })
    else {
      const end = input.bytes.length
      response.writeHead(206, {
        'content-length': rest.length,
        'content-range': `bytes ${continues?.from ?? start}-${end - 1}/${end}`,
        etag: continues?.etag ?? '"1"',
      })
    }
    const isFirst = requests.filter((line) => line.startsWith('GET')).length === 1
    const pause = input.stallAfter ?? (isFirst ? input.breakAfter : undefined)
    if (pause === undefined) {
      response.end(rest)
      return
    }
    response.write(rest.subarray(0, pause), () => {
      if (input.stallAfter === undefined) response.destroy()
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const base = `http://127.0.0.1:${address.port}`

  const untilJob = async (id: string, matches: (job: Job) => boolean, what: string): Promise<Job> =>
    waitFor(() => jobs.find((job) => job.id === id && matches(job)), { what, timeout: 15_000 })

  const api: StandInApi = {
    client,
    announcements,
    answers,
    jobs,
    rejects,
    requests,
    assignment(input, change = {}) {
      const id = randomUUID()
      inputs.set(id, input)
      return {
        id,
        kind: 'profile',
        name: 'input.csv',
        createdAt: new Date().toISOString(),
        source: { type: 'upload', format: 'csv', url: `${base}/inputs/${id}`, size: input.bytes.length },
        rejectsUrl: `${base}/rejects/${id}`,
        ...change,
      }
    },
    async offer(engine, job) {
      await client.publish(engineInbox(engine), { type: 'offer', job, replyTo: inbox })
      return waitFor(() => answers.find(({ id }) => id === job.id), { what: 'an answer to the offer' })
    },
    async hand(engine, job) {
      const answer = await api.offer(engine, job)
      if (answer.type === 'refused') throw new Error(`refused: ${answer.reason}`)
      await api.tell(engine, { type: 'start', id: job.id })
    },
    async tell(engine, message) {
      await client.publish(engineInbox(engine), message)
    },
    async askForReports() {
      await client.publish(enginesInbox, { type: 'report' })
    },
    untilState: (id, state) => untilJob(id, (job) => job.state === state, `job in state ${state}`),
    untilEnded: (id) => untilJob(id, (job) => isEnded(job.state), 'the end of the job'),
    async close() {
      http.closeAllConnections()
      http.close()
      await client.close()
    },
  }
  return api
}
