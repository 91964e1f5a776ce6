import { getDefaultClient, isPubSubError } from '@ps/core'
import type { JobChannels } from '@ps/jobs'
import { pino } from 'pino'
import { readWorkerConfiguration } from './configuration.js'
import { startWorker } from './worker.js'

/** How long a stop may take, in milliseconds, before the process goes without saying goodbye. */
const stopDeadline = 4_000
/** How long the client may take to send what it has accepted, in milliseconds. */
const closeTimeout = 1_500

/** Runs the engine until it is told to stop. Rejects where its configuration cannot be used. */
export async function runWorker(environment: NodeJS.ProcessEnv): Promise<void> {
  const configuration = readWorkerConfiguration(environment)
  const log = pino({ level: configuration.logLevel, base: { engine: configuration.id } })
  const stopping = new Promise<string>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })

  const client = await getDefaultClient<JobChannels>({
    acrossProcesses: true,
    closeTimeout,
    log,
  })
  const worker = startWorker(client, configuration, log)
  worker.ready.then(
    () => log.info({ concurrency: configuration.concurrency }, 'ready for jobs'),
    (error: unknown) => {
      // A stop before the first broker has answered ends here, too.
      if (!isPubSubError(error, 'closed')) log.error({ err: error }, 'no jobs can be taken')
    },
  )

  const signal = await stopping
  log.info({ signal }, 'stopping')
  const deadline = setTimeout(() => process.exit(1), stopDeadline)
  await worker.close()
  await client.close()
  clearTimeout(deadline)
}
