import { type Client, isPubSubError } from '@ps/core'
import {
  type ApiInbox,
  type EngineAnnouncement,
  enginesChannel,
  enginesInbox,
  type JobChannels,
  jobsChannel,
} from '@ps/jobs'
import type { Logger } from 'pino'
import type { Assignments } from './assignments.js'
import { type Engines, maxSilence } from './engines.js'
import type { Jobs } from './jobs.js'

const expiryInterval = 1_000
const retryInterval = 1_000

export interface ListenToEnginesOptions {
  readonly client: Client<JobChannels>
  readonly inbox: ApiInbox
  readonly engines: Engines
  readonly jobs: Jobs
  readonly assignments: Assignments
  /** Whether any broker is up. */
  readonly isConnected: () => boolean
  readonly log: Logger
}

/**
 * Keeps what we know of engines and jobs true: hears them, asks them all at the start and after every gap, and lets go of
 * whom it has not heard of for 6 s. The returned function ends it.
 */
export function listenToEngines(options: ListenToEnginesOptions): () => void {
  const { client, inbox, engines, jobs, assignments, isConnected, log } = options
  const stop = new AbortController()
  const { signal } = stop
  let wasConnected = isConnected()
  /** When the engines were last asked, where the answers are still awaited. */
  let askedAt: number | undefined
  let asking = false
  let askAgain = false
  let timer: NodeJS.Timeout | undefined

  const ask = async (): Promise<void> => {
    if (asking) {
      askAgain = true
      return
    }
    asking = true
    clearTimeout(timer)
    const begun = performance.now()
    const isAsked = await client.publish(enginesInbox, { type: 'report' }).catch(() => false)
    asking = false
    if (signal.aborted) return
    if (isAsked) askedAt ??= begun
    if (askAgain || !isAsked) {
      askAgain = false
      timer = setTimeout(() => void ask(), isAsked ? 0 : retryInterval)
    }
  }

  const expire = (): void => {
    if (!isConnected()) {
      wasConnected = false
      return
    }
    if (!wasConnected) {
      wasConnected = true
      engines.forgive()
      void ask()
    }
    engines.expire()
    if (askedAt !== undefined && performance.now() - askedAt > maxSilence) {
      const time = askedAt
      askedAt = undefined
      jobs.loseUnheard(time)
    }
  }

  const hearEngine = (announcement: EngineAnnouncement): void => {
    // One that was silent for a while may have jobs that we gave up.
    if (engines.hear(announcement)) void ask()
  }

  const heard = { signal, onGap: () => void ask() }
  Promise.all([
    client.listen(jobsChannel, jobs.hear, heard),
    client.listen(enginesChannel, hearEngine, heard),
    client.listen(inbox, assignments.hear, { signal }),
  ]).then(
    () => ask(),
    (error: unknown) => {
      if (signal.aborted || isPubSubError(error, 'closed')) return
      log.error({ err: error }, 'the engines cannot be heard')
    },
  )
  const interval = setInterval(expire, expiryInterval)

  return () => {
    stop.abort()
    clearInterval(interval)
    clearTimeout(timer)
  }
}
