import { isAllowedSource, type JobResult, lookupPublic, refuseSourceUrl } from '@ps/jobs'
import type { Logger } from 'pino'
import { JobFailure } from '../job-failure.js'
import { profile } from '../jobs/profile.js'
import { runJob } from '../run-job.js'
import type { WorkerConfiguration } from './configuration.js'
import { readHttpSource } from './http-source.js'
import { createRejectsFile } from './rejects-file.js'
import type { JobRun } from './worker-jobs.js'

/** Every kind of job that this engine knows. */
const kinds = { profile }

/** Reads a job's input over HTTP, runs the job on it, and sends what was rejected. */
export async function performAssignment(
  { assignment, signal, progress, size }: JobRun,
  { dataFolder, allowedSources }: WorkerConfiguration,
  log: Logger,
): Promise<JobResult> {
  const { id, kind, source, rejectsUrl } = assignment
  if (!Object.hasOwn(kinds, kind)) {
    throw new JobFailure(
      `this engine knows no job of the kind ${JSON.stringify(kind)}, only ${Object.keys(kinds).join(', ')}`,
    )
  }
  const job = kinds[kind as keyof typeof kinds]
  const input = readHttpSource({
    url: source.url,
    signal,
    onSize: size,
    // An upload is read from the api that gave us the job; whatever a user named is checked before every request.
    lookupFor(url) {
      if (source.type === 'upload') return undefined
      const reason = refuseSourceUrl(url, allowedSources)
      if (reason !== undefined) throw new JobFailure(`the input cannot be read: ${reason}`)
      return isAllowedSource(url, allowedSources) ? undefined : lookupPublic
    },
  })
  const rejects = createRejectsFile(dataFolder, id)
  try {
    const result = await runJob(job, input, {
      format: source.format,
      signal,
      onProgress: progress,
      onReject: (row) => rejects.write(row),
    })
    await rejects.send(rejectsUrl).catch((error: unknown) => {
      log.warn(
        { job: id, err: error },
        'the rejected rows could not be sent; the first ones are in the result',
      )
    })
    return result
  } finally {
    await rejects.remove()
  }
}
