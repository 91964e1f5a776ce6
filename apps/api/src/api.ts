import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Client, describeError, getDefaultClient } from '@ps/core'
import { apiInbox, type JobChannels, jobsChannel } from '@ps/jobs'
import type { Logger } from 'pino'
import { deriveRootKey } from './access/seal.js'
import { createSessions } from './access/sessions.js'
import { createTickets } from './access/tickets.js'
import { createAssignments } from './assignments.js'
import { createArrivals } from './arrivals.js'
import { createAudiences } from './audiences.js'
import { createCancellations } from './cancellations.js'
import { createChannelFeeds } from './channel-feeds.js'
import type { Configuration } from './configuration.js'
import { watchConnection } from './connection-state.js'
import { readDashboardFiles } from './dashboard-files.js'
import { createEngines } from './engines.js'
import { createFaults } from './faults.js'
import { createHistory } from './history.js'
import { openJobFiles } from './job-files.js'
import { createJobs } from './jobs.js'
import { listenToEngines } from './listen-to-engines.js'
import { createMetrics } from './metrics.js'
import { createOpenStreams } from './open-streams.js'
import type { Parts } from './parts.js'
import { buildServer } from './server.js'
import { createUrlSigner, readSecret } from './signed-url.js'
import { createStreamList } from './stream-list.js'
import { openUploads } from './uploads.js'

/** How long requests may go on when we stop, in milliseconds; then they are cut. */
const drainTime = 2_500
/** How long the client may take to send what it has accepted. */
const closeTimeout = 1_500
/** Of the default of 511, most clients that come back together after a restart would be turned away. */
const maxWaitingConnections = 8_192
const sweepInterval = 60 * 60 * 1_000

/** The api, listening. */
export interface Api {
  readonly url: string
  close(): Promise<void>
}

/** Starts everything. Rejects, with nothing left open, where the configuration cannot be used. */
export async function startApi(configuration: Configuration, log: Logger): Promise<Api> {
  const { dataFolder } = configuration
  try {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new Error(`API_DATA_DIR cannot be used: ${describeError(cause)}`, { cause })
  }
  const ownSecret = await readSecret(dataFolder)
  const signer = createUrlSigner(ownSecret)
  const rootKey = await deriveRootKey(configuration.access.secret ?? ownSecret.toString('base64url'))
  const uploads = await openUploads(join(dataFolder, 'uploads'), configuration)
  const rejects = await openUploads(join(dataFolder, 'rejects'), configuration)
  const files = await openJobFiles(dataFolder)
  const dashboard = await readDashboardFiles(new URL('./dashboard/', import.meta.url))

  const client = await getDefaultClient<JobChannels>({
    acrossProcesses: true,
    closeTimeout,
    log,
  })
  try {
    return await run()
  } catch (error) {
    await client.close()
    throw error
  }

  async function run(): Promise<Api> {
    const connection = await watchConnection(client)
    let isDraining = false
    const reportError = (error: unknown, what: string): void => log.error({ err: error }, what)
    const discard = (work: Promise<void>): void => {
      work.catch((error: unknown) => reportError(error, 'a file cannot be removed'))
    }

    const cancellations = createCancellations(client)
    const jobs = await createJobs({
      files,
      onLost(job) {
        log.warn({ job: job.id, engine: job.engine }, 'job lost: its engine is not heard of')
        client
          .publish(jobsChannel, job)
          .catch((error: unknown) => log.warn(`a lost job cannot be told: ${describeError(error)}`))
      },
      onReport: cancellations.goesOn,
      onEnd: cancellations.forget,
      onUploadFree: (id) => discard(uploads.remove(id)),
      onForgotten: (id) => discard(rejects.remove(id)),
      onError: reportError,
    })
    const engines = createEngines(jobs.loseOfEngine)
    const inbox = apiInbox(randomUUID())
    const assignments = createAssignments({ client, inbox, engines, jobs })
    const streams = createOpenStreams({ maxAge: configuration.streamMaxAge })
    const history = createHistory()
    const anyClient = client as Client<object> as Client
    const feeds = createChannelFeeds({ client: anyClient, history, linger: configuration.streamLinger })
    const metrics = createMetrics({
      streams: () => streams.count,
      channels: () => feeds.count,
      history,
      health: () => client.health(),
      engines: () => engines.list().length,
      jobStates: () => jobs.list().map(({ state }) => state),
    })
    const faults = configuration.hasFaults ? createFaults(streams) : undefined
    if (faults !== undefined) log.warn('API_FAULTS is on: everyone on this machine can cut streams')
    const arrivals = createArrivals(history)
    const parts: Parts = {
      configuration,
      log,
      client: anyClient,
      isConnected: connection.isConnected,
      isDraining: () => isDraining || (faults?.isDraining() ?? false),
      history,
      audiences: createAudiences({ feeds, onFlush: metrics.flushed }),
      streams,
      streamList: createStreamList({ streams, arrivals, deliveredFrames: () => metrics.deliveredFrames }),
      faults,
      engines,
      jobs,
      assignments,
      cancellations,
      uploads,
      rejects,
      signer,
      sessions: createSessions(rootKey),
      tickets: createTickets(rootKey),
      url: () => configuration.url ?? addressFor(configuration.host, port),
      metrics,
    }
    let { port } = configuration
    const server = await buildServer({ parts, dashboard, port: () => port })
    // Of a name with several addresses Fastify makes several servers; one is enough, and is the one that we close.
    await server.listen({
      host: configuration.host === 'localhost' ? '127.0.0.1' : configuration.host,
      port,
      backlog: maxWaitingConnections,
    })
    port = (server.server.address() as AddressInfo).port
    const url = addressFor(configuration.host, port)
    if (!connection.isConnected()) log.warn('no broker is up: waiting for one')
    log.info({ url }, 'listening')

    const stopListening = listenToEngines({
      client,
      inbox,
      engines,
      jobs,
      assignments,
      isConnected: parts.isConnected,
      log,
    })
    const sweep = (): void => {
      discard(uploads.sweep((id) => jobs.needsUpload(id)))
      discard(rejects.sweep((id) => jobs.get(id) !== undefined))
    }
    sweep()
    const sweeping = setInterval(sweep, sweepInterval)

    return {
      url,
      async close() {
        isDraining = true
        await streams.end()
        const deadline = setTimeout(() => server.server.closeAllConnections(), drainTime)
        await server.close()
        clearTimeout(deadline)
        clearInterval(sweeping)
        stopListening()
        arrivals.close()
        faults?.close()
        connection.close()
        await client.close()
      },
    }
  }
}

/** Where programs on this machine find a server that listens there. */
function addressFor(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
