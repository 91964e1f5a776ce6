import { type Client, createClient, silentLogger } from '@ps/core'
import {
  engineInbox,
  enginesChannel,
  enginesInbox,
  type Job,
  type JobAssignment,
  type JobChannels,
  jobsChannel,
} from '@ps/jobs'
import { uniqueName, waitFor } from '@ps/services/vitest'

export interface StandInOptions {
  readonly id?: string
  readonly capacity?: number
  /** How many jobs it says that it runs. */
  readonly load?: number
  /** What it does with an offer: answers, refuses, or says nothing. */
  readonly onOffer?: 'accept' | 'refuse' | 'ignore'
  /** How many times it does not hear that it is to start. */
  readonly deafStarts?: number
}

/** What an engine is on the wire: a real client that speaks the protocol. The test decides how its jobs go. */
export interface StandInEngine {
  readonly id: string
  readonly client: Client<JobChannels>
  readonly offered: readonly string[]
  /** Ids, once for each time that it was told. */
  readonly starts: readonly string[]
  readonly cancels: readonly string[]
  assignment(id: string): JobAssignment
  untilStarted(count?: number): Promise<string>
  /** Publishes a change of a job that it has. */
  tell(id: string, change: Partial<Job>): Promise<Job>
  announce(change?: { leaving?: true; startedAt?: string }): Promise<void>
  /** Says nothing any more, and hears nothing, as if it had been killed. */
  die(): Promise<void>
}

export async function startStandInEngine(
  environment: Readonly<Record<string, string>>,
  {
    id = uniqueName('engine'),
    capacity = 2,
    load = 0,
    onOffer = 'accept',
    deafStarts = 0,
  }: StandInOptions = {},
): Promise<StandInEngine> {
  const client = await createClient<JobChannels>({
    environment,
    backends: { postgres: () => import('@ps/postgres') },
    log: silentLogger,
  })
  const assignments = new Map<string, JobAssignment>()
  const jobs = new Map<string, Job>()
  const offered: string[] = []
  const starts: string[] = []
  const cancels: string[] = []
  const begunAt = new Date().toISOString()

  const announce: StandInEngine['announce'] = async (change = {}) => {
    await client.publish(enginesChannel, {
      engine: id,
      host: 'test',
      processId: process.pid,
      capacity,
      running: load,
      queued: 0,
      backend: 'postgres',
      startedAt: begunAt,
      ...change,
    })
  }

  const tell: StandInEngine['tell'] = async (job, change) => {
    const known = jobs.get(job)
    if (known === undefined) throw new Error(`the engine does not have the job ${job}`)
    const next = { ...known, ...change, revision: known.revision + 1 }
    jobs.set(job, next)
    await client.publish(jobsChannel, next)
    return next
  }

  await client.listen(engineInbox(id), async (message) => {
    if (message.type === 'offer') {
      const { job, replyTo } = message
      offered.push(job.id)
      if (onOffer === 'ignore') return
      assignments.set(job.id, job)
      const answer = { id: job.id, engine: id }
      await client.publish(
        replyTo,
        onOffer === 'accept'
          ? { type: 'accepted', ...answer }
          : { type: 'refused', ...answer, reason: 'it is full' },
      )
      return
    }
    if (message.type === 'cancel') {
      cancels.push(message.id)
      return
    }
    starts.push(message.id)
    const assignment = assignments.get(message.id)
    if (assignment === undefined || jobs.has(message.id) || starts.length <= deafStarts) return
    const { kind, name, createdAt, source } = assignment
    jobs.set(message.id, {
      id: message.id,
      kind,
      name,
      createdAt,
      engine: id,
      state: 'running',
      rows: 0,
      rejected: 0,
      bytes: 0,
      revision: 0,
      ...(source.size !== undefined && { totalBytes: source.size }),
    })
    await tell(message.id, {})
  })
  await client.listen(enginesInbox, async () => {
    await announce()
    for (const job of jobs.values()) await client.publish(jobsChannel, job)
  })
  await announce()
  const heartbeat = setInterval(() => void announce(), 2_000)

  return {
    id,
    client,
    offered,
    starts,
    cancels,
    assignment(job) {
      const assignment = assignments.get(job)
      if (assignment === undefined) throw new Error(`no offer of ${job}`)
      return assignment
    },
    untilStarted: (count = 1) =>
      waitFor(() => (starts.length >= count ? starts.at(-1) : undefined), { what: 'a start' }),
    tell,
    announce,
    async die() {
      clearInterval(heartbeat)
      await client.close()
    },
  }
}

/** A job's result, as an engine would find it. */
export const someResult = (rejects: readonly { line: number; reason: string }[] = []) => ({
  rows: 3,
  rejected: rejects.length,
  rejects,
  columns: [
    {
      name: 'a',
      type: 'integer' as const,
      count: 3,
      nulls: 0,
      distinct: 3,
      distinctExact: true,
      min: 1,
      max: 3,
      mean: 2,
      frequent: [{ value: '1', count: 1 }],
      frequentExact: true,
    },
  ],
})
