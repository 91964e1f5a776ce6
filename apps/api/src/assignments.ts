import type { Client } from '@ps/core'
import {
  type ApiInbox,
  type ApiMessage,
  engineInbox,
  type JobAssignment,
  type JobChannels,
  queuedJob,
} from '@ps/jobs'
import type { Engines } from './engines.js'
import type { Upload } from './job-files.js'
import type { Jobs } from './jobs.js'
import { Problem } from './problem.js'

/** How long an engine may take to answer an offer, in milliseconds. */
const offerTimeout = 1_000
/** An engine that was told to start says so at once; if not, it is told again. */
const startTimeout = 1_000
/** An engine keeps an accepted job for 5 s. */
const maxStarts = 5

export interface AssignmentsOptions {
  readonly client: Pick<Client<JobChannels>, 'publish'>
  /** Where engines answer. */
  readonly inbox: ApiInbox
  readonly engines: Engines
  readonly jobs: Jobs
}

/** Gives jobs to engines: each to one. */
export interface Assignments {
  /** Resolves when an engine has said that it has the job. Rejects with a Problem where none takes it. */
  assign(assignment: JobAssignment, upload?: Upload): Promise<void>
  /** What arrives in our inbox. */
  hear(message: ApiMessage): void
}

export const noEngine = (): Problem =>
  new Problem(503, 'no engine is running: start one and try again', {
    code: 'no_engine',
    headers: { 'retry-after': '5' },
  })

export function createAssignments({ client, inbox, engines, jobs }: AssignmentsOptions): Assignments {
  const offers = new Map<string, (message: ApiMessage) => void>()
  const key = (id: string, engine: string): string => `${id} ${engine}`

  /** Undefined where there is no answer in time: then the engine forgets the offer by itself. */
  const offer = async (engine: string, job: JobAssignment): Promise<ApiMessage | undefined> => {
    const name = key(job.id, engine)
    let timer: NodeJS.Timeout | undefined
    const answer = new Promise<ApiMessage | undefined>((resolve, reject) => {
      offers.set(name, resolve)
      timer = setTimeout(() => resolve(undefined), offerTimeout)
      client.publish(engineInbox(engine), { type: 'offer', job, replyTo: inbox }).catch(reject)
    })
    try {
      return await answer
    } finally {
      clearTimeout(timer)
      offers.delete(name)
    }
  }

  const start = async (engine: string, id: string): Promise<boolean> => {
    for (let starts = 0; starts < maxStarts; starts += 1) {
      const heard = jobs.nextReport(id, AbortSignal.timeout(startTimeout)).then(
        () => true,
        () => false,
      )
      await Promise.race([client.publish(engineInbox(engine), { type: 'start', id }), heard])
      if (await heard) return true
    }
    return false
  }

  return {
    async assign(assignment, upload) {
      const { id } = assignment
      const candidates = engines.candidates()
      if (candidates.length === 0) throw noEngine()
      const refusals: string[] = []
      for (const engine of candidates) {
        engines.expect(engine)
        const answer = await offer(engine, assignment)
        if (answer?.type !== 'accepted') {
          refusals.push(`${engine}: ${answer?.reason ?? `no answer within ${offerTimeout / 1_000} s`}`)
          continue
        }
        await jobs.add(queuedJob(assignment, engine, 0), upload)
        if (await start(engine, id)) return
        // It may have started and not be heard. Nobody else may be given the job, and its input goes away.
        await client.publish(engineInbox(engine), { type: 'cancel', id })
        await jobs.remove(id)
        throw new Problem(503, `the engine ${engine} took the job and did not start it: try again`, {
          code: 'not_started',
        })
      }
      throw new Problem(503, `no engine took the job (${refusals.join('; ')}): try again later`, {
        code: 'not_accepted',
        headers: { 'retry-after': '5' },
      })
    },
    hear(message) {
      offers.get(key(message.id, message.engine))?.(message)
    },
  }
}
