import { setTimeout as delay } from 'node:timers/promises'
import { type Client, isPubSubError } from '@ps/core'
import {
  type ApiMessage,
  engineInbox,
  type EngineAnnouncement,
  type EngineMessage,
  enginesChannel,
  enginesInbox,
  isEnded,
  isId,
  type Job,
  type JobChannels,
  jobsChannel,
} from '@ps/jobs'
import type { Logger } from 'pino'
import type { WorkerConfiguration } from './configuration.js'
import { performAssignment } from './perform-assignment.js'
import { createWorkerJobs } from './worker-jobs.js'

/** How often an engine says that it lives, in milliseconds. */
const announcementInterval = 2_000
const pauseBeforeRepeating = 1_000

export interface Worker {
  /** Fails the jobs that run, says goodbye. The client stays open. */
  close(): Promise<void>
  /** Resolves when it hears its inbox: while no broker is up it waits. Rejects where it never will. */
  readonly ready: Promise<void>
}

/** How long a goodbye may take, in milliseconds: with no broker up nobody hears it. */
const goodbyeTimeout = 1_000

/** Listens for jobs, runs them, and publishes what happens. */
export function startWorker(
  client: Client<JobChannels>,
  configuration: WorkerConfiguration,
  log: Logger,
): Worker {
  const { id, host, concurrency } = configuration
  const startedAt = new Date().toISOString()
  const repeats = new Set<NodeJS.Timeout>()
  let closed = false
  let announcing: NodeJS.Immediate | undefined
  let heartbeat: NodeJS.Timeout | undefined
  let backend = ''
  client.on('state', (change) => {
    backend = change.backend
  })

  /** Publishes; whether a broker has it. What fails is said again, or is news no more. */
  const say = async <Channel extends keyof JobChannels>(
    channel: Channel,
    message: JobChannels[Channel],
  ): Promise<boolean> => {
    try {
      return await client.publish(channel, message)
    } catch (error) {
      if (!isPubSubError(error, 'closed')) log.error({ err: error, channel }, 'this cannot be said')
      return false
    }
  }

  /** Says how a job is; a change that matters is said again until a broker has it. */
  const tell = async (job: Job): Promise<void> => {
    if ((await say(jobsChannel, job)) || closed) return
    const current = jobs.list().find((candidate) => candidate.id === job.id)
    if (current?.revision !== job.revision) return
    const timer = setTimeout(() => {
      repeats.delete(timer)
      void tell(job)
    }, pauseBeforeRepeating)
    repeats.add(timer)
  }

  const announce = async (leaving = false): Promise<void> => {
    const announcement: EngineAnnouncement = {
      engine: id,
      host,
      processId: process.pid,
      capacity: concurrency,
      running: jobs.running,
      queued: jobs.queued,
      backend,
      startedAt,
      ...(leaving && { leaving }),
    }
    await say(enginesChannel, announcement)
  }

  const announceSoon = (): void => {
    // One announcement for all that changes in a turn.
    announcing ??= setImmediate(() => {
      announcing = undefined
      if (!closed) void announce()
    })
  }

  const jobs = createWorkerJobs({
    engine: id,
    concurrency,
    run: (run) => performAssignment(run, configuration, log),
    onLoadChange: announceSoon,
    onChange(job) {
      if (isEnded(job.state))
        log.info({ job: job.id, state: job.state, rows: job.rows, error: job.error }, 'job ended')
      void tell(job)
    },
    onError: (job, error) => log.error({ job, err: error }, 'a job failed by our fault'),
  })

  const hear = async (message: EngineMessage): Promise<void> => {
    if (message.type === 'offer') {
      // It names a file, and anyone who reaches the broker can publish.
      const reason = isId(message.job.id) ? jobs.accept(message.job) : 'its id is none'
      const answer: ApiMessage =
        reason === undefined
          ? { type: 'accepted', id: message.job.id, engine: id }
          : { type: 'refused', id: message.job.id, engine: id, reason }
      await say(message.replyTo, answer)
    } else if (message.type === 'start') {
      const job = jobs.start(message.id)
      // Told to start again: our last word about the job was not heard.
      if (job !== undefined) await tell(job)
    } else {
      jobs.cancel(message.id)
    }
  }

  const report = async (): Promise<void> => {
    await Promise.all([announce(), ...jobs.list().map(tell)])
  }

  const listen = async (): Promise<void> => {
    backend = (await client.health()).backend
    await client.listen(engineInbox(id), hear)
    await client.listen(enginesInbox, (message) => {
      if (message.type === 'report') void report()
    })
    if (closed) return
    heartbeat = setInterval(() => void announce(), announcementInterval)
    await announce()
  }

  return {
    ready: listen(),
    async close() {
      clearInterval(heartbeat)
      await jobs.close('its engine was stopped')
      closed = true
      if (announcing !== undefined) clearImmediate(announcing)
      for (const timer of repeats) clearTimeout(timer)
      await Promise.race([announce(true), delay(goodbyeTimeout, undefined, { ref: false })])
    },
  }
}
