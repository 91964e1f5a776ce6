import { hostname } from 'node:os'
import { describeError, getDefaultClient, silentLogger } from '@ps/core'
import { enginesChannel, type JobChannels } from '@ps/jobs'

/** An engine announces itself every 2 s. */
const patience = 5_000

// Ends with exit code 0 where an engine of this host is heard over the broker: for the health check of a container.
try {
  const client = await getDefaultClient<JobChannels>({
    acrossProcesses: true,
    closeTimeout: 500,
    log: silentLogger,
  })
  const deadline = AbortSignal.timeout(patience)
  const isHeard = await new Promise<boolean>((resolve, reject) => {
    deadline.addEventListener('abort', () => resolve(false))
    client
      .listen(
        enginesChannel,
        ({ host, leaving }) => {
          if (host === hostname() && leaving !== true) resolve(true)
        },
        { signal: deadline },
      )
      .catch((error: unknown) => {
        if (!deadline.aborted) reject(error)
      })
  })
  await client.close()
  if (!isHeard) throw new Error(`no engine of ${hostname()} was heard within ${patience / 1_000} s`)
} catch (error) {
  process.stderr.write(`error: ${describeError(error)}\n`)
  process.exitCode = 1
}
