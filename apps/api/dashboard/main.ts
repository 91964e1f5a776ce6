import { createApi } from './api.js'
import { createConnectionView } from './connection-view.js'
import { createEnginesStore } from './engines-store.js'
import { createEnginesView, lateAfter } from './engines-view.js'
import { createEventStream } from './event-stream.js'
import { createExplorerView } from './explorer-view.js'
import { createGapLog } from './gaps.js'
import { asEngine, asJob } from './incoming.js'
import { createJobsStore } from './jobs-store.js'
import { createJobsView } from './jobs-view.js'
import { createLatencyProbe } from './latency.js'
import { resultView } from './result-view.js'
import { createTokenStore } from './token.js'
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

const token = createTokenStore()
const tokenView = createTokenView(token, () => void wake())
const api = createApi({ token: token.read, onUnauthorized: tokenView.ask })

const connectionView = createConnectionView()
const enginesView = createEnginesView()
const jobsView = createJobsView({ onCancel: api.cancel, loadResult })
const jobs = createJobsStore(() => jobsView.show(jobs.list()))
const engines = createEnginesStore(() => enginesView.show(engines.list()))
const gaps = createGapLog({ refetch: refetchUntilSettled, onChange: connectionView.gaps })
const latency = createLatencyProbe({
  publish: api.publish,
  onArrival: connectionView.probeArrived,
  onChange: connectionView.latency,
})

let explored: string | undefined
let live = false

const explorerView = createExplorerView({
  publish: api.publish,
  onListen(channel) {
    explored = channel
    listenToAll()
  },
})

const stream = createEventStream({
  open: api.events,
  onMessage(channel, message) {
    const job = channel === jobsChannel ? asJob(message) : undefined
    const engine = channel === enginesChannel ? asEngine(message) : undefined
    if (job !== undefined) jobs.put(job)
    if (engine !== undefined) engines.put(engine)
    if (channel === latency.channel) latency.receive(message)
    if (channel === explored) explorerView.receive(message)
  },
  onGap(channel, reason, missed) {
    if (channel === explored) explorerView.gap(reason, missed)
    gaps.report(reason)
  },
  onLive(how, channels) {
    tokenView.accepted()
    if (how === 'again') gaps.report('the stream was interrupted')
    else void refetch(how === 'first').catch(() => gaps.report('the list of jobs could not be fetched'))
    if (explored === undefined || !channels.includes(explored)) return
    if (how === 'again') explorerView.gap('the stream was interrupted', undefined)
    explorerView.live()
  },
  onRefused(channels, reason) {
    if (explored !== undefined && channels.includes(explored)) explorerView.refuse(reason)
  },
  onState(state) {
    live = state.kind === 'live' && state.confirmed
    connectionView.stream(state)
    runLatency()
    void checkHealth()
  },
})

createUploadsView({
  upload: (file, onProgress, signal) => uploadFile(file, { token: token.read(), onProgress, signal }),
  onJob(job) {
    jobsView.openWhenDone(job.id)
    jobs.put(job)
  },
})

connectionView.gaps(gaps.state)
listenToAll()
setInterval(tick, 1_000)
setInterval(() => void checkHealth(), healthInterval)
setInterval(() => void refetchWhatIsSilent(), maxJobSilence)
document.addEventListener('visibilitychange', () => void wake())
window.addEventListener('online', () => void wake())

function listenToAll(): void {
  const channels = [jobsChannel, enginesChannel, latency.channel]
  stream.setChannels(explored === undefined ? channels : [...new Set([...channels, explored])])
}

async function loadResult(id: string): Promise<HTMLElement> {
  const job = await api.job(id)
  return resultView({ job, fetchRejects: token.read() === undefined ? undefined : () => api.rejects(id) })
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
}

function runLatency(): void {
  latency.run(live && !document.hidden)
}

function tick(): void {
  if (document.hidden) return
  connectionView.tick()
  // Before the first answer an empty list would say that no engine is alive.
  if (engines.list().length > 0) enginesView.show(engines.list())
}

/** The page is looked at again, or the network is back. */
async function wake(): Promise<void> {
  runLatency()
  if (document.hidden) return
  stream.wake()
  tick()
  await checkHealth()
  if (live) await refetch(true).catch(() => undefined)
}
