import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient, silentLogger } from '@ps/core'
import { type ObservedProcess, startObservedProcess } from '@ps/services'
import { judgeMemory } from '../judge-memory.js'
import type { MemorySample } from '../messages.js'
import { createRandom, type Random } from '../random.js'
import { holdsWithin } from '../waiting.js'
import { type ClientAudit, createStreamAudit } from './stream-audit.js'
import { openStreamClient, type StreamClient } from './stream-client.js'
import { type ClientKind, clientKinds, fast, heavy, type StreamPlan } from './stream-plan.js'
import { createStreamPublisher, type StreamPublisher } from './stream-publisher.js'
import { troubleClients } from './stream-troubles.js'
import type { StreamEvidence } from './stream-verdict.js'

export interface RunStreamsOptions {
  readonly plan: StreamPlan
  readonly minutes: number
  readonly seed: number
  readonly databaseUrl: string
  /** Before the names of channels in the database. Default: nothing. */
  readonly prefix?: string
  /** How long the last messages may take to arrive, in milliseconds. Default: 30,000. */
  readonly patience?: number
  /** The port by which clients reach the api's. Default: the api's. */
  readonly way?: (port: number) => Promise<number>
  readonly signal: AbortSignal
  readonly onProgress: (line: string) => void
}

const memoryMilliseconds = 5_000
const progressMilliseconds = 30_000
const openMilliseconds = 30_000

/** Beside what is built, and from the sources. */
const apiFile = ['../../api/dist/main.js', '../../../api/dist/main.js']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((file) => existsSync(file))

/** Opens streams at an api of its own, publishes, and has clients stall, die and come back. Gives what was seen. */
export async function runStreams(options: RunStreamsOptions): Promise<StreamEvidence> {
  const { databaseUrl, prefix = '' } = options
  if (apiFile === undefined) throw new Error('the api is not built: run the build first')
  const environment = { PUBSUB_BACKEND: 'postgres', DATABASE_URL: databaseUrl, PUBSUB_PREFIX: prefix }
  const dataFolder = mkdtempSync(join(tmpdir(), 'ps-soak-api-'))
  let api: ObservedProcess | undefined
  try {
    api = await startObservedProcess({
      file: apiFile,
      environment: {
        ...environment,
        PORT: '0',
        API_DATA_DIR: dataFolder,
        API_ADDRESS_RATE: '0',
        API_CREDENTIAL_RATE: '0',
      },
    })
    const [, port] = await api.waitForOutput(/"url":"http:\/\/127\.0\.0\.1:(\d+)","msg":"listening"/)
    return await soak(options, environment, api, Number(port))
  } finally {
    await api?.stop()
    rmSync(dataFolder, { recursive: true, force: true })
  }
}

async function soak(
  { plan, minutes, seed, patience = 30_000, way, signal, onProgress }: RunStreamsOptions,
  environment: Readonly<Record<string, string>>,
  api: ObservedProcess,
  apiPort: number,
): Promise<StreamEvidence> {
  const random = createRandom(seed)
  const client = await createClient({
    environment,
    backends: { postgres: () => import('@ps/postgres') },
    log: silentLogger,
  })
  const publisher = createStreamPublisher(client, plan.channels)
  const audit = createStreamAudit(publisher.published)
  const refusedStreams: string[] = []
  const audits: ClientAudit[] = []
  const all: StreamClient[] = []
  const memory: MemorySample[] = []
  const port = (await way?.(apiPort)) ?? apiPort

  const openOne = (kind: ClientKind): StreamClient => {
    const channels = channelsOf(kind, plan, random)
    const own = audit.client(kind, channels)
    const opened = openStreamClient({
      port,
      channels,
      audit: own,
      onRefused: (why) => refusedStreams.push(why),
    })
    audits.push(own)
    all.push(opened)
    return opened
  }
  const look = async (): Promise<void> => {
    const { resident, live } = await api.usage({ collect: true })
    memory.push({ at: Date.now(), resident, live })
  }

  const measuring = setInterval(() => void look().catch(() => {}), memoryMilliseconds)
  const telling = setInterval(() => {
    const { messages, lost, doubled, gaps } = audit.counts
    const live = ((memory.at(-1)?.live ?? 0) / 1_048_576).toFixed(1)
    onProgress(
      `${publisher.total} published, ${publisher.refused} not accepted, ${messages} delivered, ${lost} lost, ${doubled} doubled, ${gaps} gaps, ${live} MB live`,
    )
  }, progressMilliseconds)
  try {
    await prepare(apiPort, plan, publisher, signal)
    const clients = Object.fromEntries(
      clientKinds.map((kind) => [kind, Array.from({ length: plan.clients[kind] }, () => openOne(kind))]),
    ) as Record<ClientKind, StreamClient[]>
    const begun = Date.now()
    const until = begun + minutes * 60_000
    onProgress(`${all.length} streams, for ${minutes} min, seed ${seed}`)
    const [troubles] = await Promise.all([
      troubleClients({ plan, clients, random, until, signal }),
      publisher.run(until, signal),
    ])
    for (const one of all) one.attend()
    await holdsWithin(() => audits.every((one) => one.behind() <= 0), patience, signal)
    const incomplete = audits.filter((one) => one.behind() > 0).length
    for (const one of audits) one.finish()
    for (const one of all) one.close()
    clearInterval(measuring)
    await look()
    return {
      minutes,
      streams: all.length,
      published: publisher.total,
      refused: publisher.refused,
      counts: audit.counts,
      troubles,
      incomplete,
      refusedStreams,
      loggedErrors: api.output().match(/"level":[56]0/g)?.length ?? 0,
      memory: judgeMemory(memory, begun),
    }
  } finally {
    clearInterval(measuring)
    clearInterval(telling)
    for (const one of all) one.close()
    await client.close()
  }
}

/** Has the api listen, and keep as much as it ever will. */
async function prepare(
  port: number,
  { channels }: StreamPlan,
  publisher: StreamPublisher,
  signal: AbortSignal,
): Promise<void> {
  let isOpen = false
  const listening = openStreamClient({
    port,
    channels: channels.map(({ name }) => name),
    audit: {
      begin() {},
      hear({ event }) {
        if (event === 'ps.hello') isOpen = true
      },
      behind: () => 0,
      finish() {},
    },
    onRefused() {},
  })
  try {
    if (!(await holdsWithin(() => isOpen, openMilliseconds, signal)))
      throw new Error('the api sends no stream')
    await publisher.prepare()
  } finally {
    listening.close()
  }
}

/** What is for all, and what its kind needs for what happens to it. */
function channelsOf(kind: ClientKind, { channels }: StreamPlan, random: Random): readonly string[] {
  const names = channels.map(({ name }) => name).filter((name) => name !== heavy.name && name !== fast.name)
  const some = random.shuffle(names).slice(0, 2)
  if (kind === 'stalling') return [...some.slice(0, 1), heavy.name]
  return kind === 'late' ? [...some.slice(0, 1), fast.name] : some
}
