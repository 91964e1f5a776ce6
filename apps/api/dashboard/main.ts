import { connect } from '@ps/browser'
import { createActivityView } from './activity-view.js'
import { createApi } from './api.js'
import { createConnectionView } from './connection-view.js'
import { createEnginesStore } from './engines-store.js'
import { createEnginesView, lateAfter } from './engines-view.js'
import { createExplorerView } from './explorer-view.js'
import { createFaultsView } from './faults-view.js'
import { createGapLog } from './gaps.js'
import { asEngine, asJob } from './incoming.js'
import { createJobsStore } from './jobs-store.js'
import { createJobsView } from './jobs-view.js'
import { createLatencyProbe } from './latency.js'
import { resultView } from './result-view.js'
import { createStreamsView } from './streams-view.js'
import { watchStreams } from './watch-streams.js'
import { createTokenView } from './token-view.js'
import { uploadFile } from './upload.js'
import { createUploadsView } from './uploads-view.js'

/** The channels of the engines, as the api's documentation names them. */
const jobsChannel = 'jobs'
const enginesChannel = 'engines'

/** An api that has just started asks the engines for their jobs, and has them within 2 s. */
const settleAfter = 2_500
const healthInterval = 5_000
/** A running job says something many times a second; one that is silent for this long is asked after. */
const maxJobSilence = 5_000

/** The stream of events of the server that served this page. */
const eventsAddress = '/v1/events'

const api = createApi({ onUnauthorized: () => tokenView.ask() })
const tokenView = createTokenView({
  async onToken(token) {
    await api.beginSession(token)
    tokenView.accepted()
    connection.reconnect()
    await wake()
  },
})

const connectionView = createConnectionView()
const activity = createActivityView()
const enginesView = createEnginesView()
const jobsView = createJobsView({ onCancel: api.cancel, loadResult })
const jobs = createJobsStore(() => jobsView.show(jobs.list()))
const engines = createEnginesStore(() => enginesView.show(engines.list()))
const gaps = createGapLog({ refetch: refetchUntilSettled, onChange: connectionView.gaps })
const latency = createLatencyProbe({
  publish: api.publish,
  onArrival: connectionView.probeArrived,
  onSample: activity.latency,
  onChange: connectionView.latency,
})

const streamsView = createStreamsView()
const streams = watchStreams({
  ask: api.streams,
  onOverview(overview) {
    streamsView.show(overview)
    activity.delivered(overview.totals.delivered)
  },
  onTrouble: streamsView.trouble,
})

let live = false
let hasBegun = false

const connection = connect(eventsAddress, {
  channels: [jobsChannel, enginesChannel, latency.channel],
  onMessage({ channel, message }) {
    activity.heard()
    const job = channel === jobsChannel ? asJob(message) : undefined
    const engine = channel === enginesChannel ? asEngine(message) : undefined
    if (job !== undefined) jobs.put(job)
    if (engine !== undefined) engines.put(engine)
    if (channel === latency.channel) latency.receive(message)
  },
  onGap: ({ reason }) => gaps.report(reason),
  onState(state) {
    live = state.kind === 'live' && state.confirmed
    connectionView.stream(state)
    if (state.kind === 'live' && state.stream !== undefined) streamsView.own(state.stream)
    if (state.kind === 'refused' && state.status === 401) tokenView.ask()
    // A token that may not hear this page's channels: only another one helps.
    if (state.kind === 'refused' && state.status === 403) tokenView.ask(state.reason)
    if (state.kind === 'live') tokenView.accepted()
    if (state.kind === 'connecting') hasBegun = false
    // Later, what was missed is told as a gap.
    if (live && !hasBegun) {
      hasBegun = true
      void refetch(true).catch(() => gaps.report('the list of jobs could not be fetched'))
    }
    runWhatMeasures()
    void checkHealth()
  },
})

createExplorerView({
  address: eventsAddress,
  publish: api.publish,
  onStream: streamsView.own,
  onHeard: activity.heard,
})
const faultsView = createFaultsView({
  address: eventsAddress,
  api,
  onHeard: activity.heard,
  onStream: streamsView.own,
})
createUploadsView({
  upload: (file, onProgress, signal) => uploadFile(file, { onProgress, signal }),
  onJob(job) {
    jobsView.openWhenDone(job.id)
    jobs.put(job)
  },
})

connectionView.gaps(gaps.state)
connectionView.stream(connection.state)
setInterval(tick, 1_000)
setInterval(() => void checkHealth(), healthInterval)
setInterval(() => void refetchWhatIsSilent(), maxJobSilence)
document.addEventListener('visibilitychange', () => void wake())
window.addEventListener('online', () => void wake())

async function loadResult(id: string): Promise<HTMLElement> {
  return resultView(await api.job(id))
}

/** Takes what the api knows now. Where it may not know all yet, `whole` is false and nothing is dropped. */
async function refetch(whole: boolean): Promise<void> {
  const askedAt = Date.now()
  const [allJobs, allEngines] = await Promise.all([api.jobs(), api.engines()])
  if (whole) {
    jobs.replaceAll(allJobs, askedAt)
    engines.replaceAll(allEngines, askedAt)
  } else {
    for (const job of allJobs) jobs.put(job)
  }
}

async function refetchUntilSettled(): Promise<void> {
  await refetch(false)
  await new Promise((resolve) => setTimeout(resolve, settleAfter))
  await refetch(true)
}

async function refetchWhatIsSilent(): Promise<void> {
  if (document.hidden || !live) return
  const now = Date.now()
  const jobIsSilent = now - (jobs.oldestNews() ?? now) > maxJobSilence
  const engineIsSilent = engines.list().some(({ heardAt }) => now - heardAt > lateAfter)
  // A failure shows in the connection view, and the next turn tries again.
  if (jobIsSilent || engineIsSilent) await refetch(true).catch(() => undefined)
}

async function checkHealth(): Promise<void> {
  if (document.hidden) return
  const health = await api
    .health()
    .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
  connectionView.health(health)
  if (typeof health !== 'string') faultsView.show(health.faults === true)
}

function runWhatMeasures(): void {
  latency.run(live && !document.hidden)
  streams.run(live && !document.hidden)
}

function tick(): void {
  if (document.hidden) return
  connectionView.tick()
  activity.tick(live)
  // Before the first answer an empty list would say that no engine is alive.
  if (engines.list().length > 0) enginesView.show(engines.list())
}

/** The page is looked at again, or the network is back. */
async function wake(): Promise<void> {
  runWhatMeasures()
  if (document.hidden) return
  tick()
  await checkHealth()
  if (live) await refetch(true).catch(() => undefined)
}
