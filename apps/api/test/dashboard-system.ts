import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Job } from '@ps/jobs'
import { freePort } from '@ps/services'
import { spawnProgram, uniqueName, waitFor, type Program } from '@ps/services/vitest'
import { inject } from 'vitest'

/** An api and an engine over PostgreSQL, which hear nobody else's messages. */
export interface DashboardSystem {
  readonly address: string
  publish(channel: string, message: unknown): Promise<void>
  /** Starts a job whose source stops half-way until it is told to finish. */
  startSlowJob(name: string): Promise<SlowSource>
  /** What the api says of the job with this name. */
  jobState(name: string): Promise<string | undefined>
  startApi(): Promise<void>
  stopApi(): Promise<void>
  stop(): Promise<void>
}

export interface SlowSource {
  finish(): void
  close(): Promise<void>
}

const programFile = (app: string): string =>
  fileURLToPath(new URL(`../../${app}/dist/main.js`, import.meta.url))

export const readPenguins = (): Promise<string> =>
  readFile(new URL('../../engine/test/fixtures/penguins.csv', import.meta.url), 'utf8')

export interface DashboardSystemOptions {
  /** The api wants it. */
  readonly token?: string
  /** Further variables of the api and the engine. */
  readonly environment?: Readonly<Record<string, string>>
  /** Fills the api's data folder before it starts. */
  readonly prepare?: (folder: string) => Promise<void>
}

export async function startDashboardSystem({
  token,
  environment: given = {},
  prepare,
}: DashboardSystemOptions = {}): Promise<DashboardSystem> {
  const port = await freePort()
  const address = `http://127.0.0.1:${port}`
  const folder = await mkdtemp(join(tmpdir(), 'dashboard-system-'))
  const environment = {
    API_DATA_DIR: join(folder, 'api'),
    ENGINE_DATA_DIR: join(folder, 'engine'),
    DATABASE_URL: inject('postgresUrl'),
    PUBSUB_BACKEND: 'postgres',
    PUBSUB_PREFIX: `${uniqueName('dashboard')}:`,
    PORT: String(port),
    JOB_SOURCE_ALLOW: '127.0.0.1',
    ...given,
    ...(token === undefined ? {} : { API_TOKEN: token }),
  }
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  const sources = new Set<SlowSource>()
  let api: Program | undefined

  const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(`${address}${path}`, { headers, ...init })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }

  const startApi = async (): Promise<void> => {
    api = spawnProgram(programFile('api'), [], { environment })
    await waitFor(() => call('/readyz'), { what: 'the api', timeout: 40_000 }).catch((cause: unknown) => {
      throw new Error(`the api did not become ready:\n${api?.stderr()}${api?.stdout()}`, { cause })
    })
  }

  await prepare?.(environment.API_DATA_DIR)
  const engine = spawnProgram(programFile('engine'), [], { environment })
  await startApi()
  const engines = async (): Promise<boolean> => ((await call('/v1/engines')) as unknown[]).length > 0
  await waitFor(engines, { what: 'the engine', timeout: 40_000 })

  return {
    address,
    async publish(channel, message) {
      const path = `/v1/channels/${encodeURIComponent(channel)}/messages`
      await call(path, { method: 'POST', body: JSON.stringify(message) })
    },
    async startSlowJob(name) {
      const source = await startSlowSource()
      sources.add(source)
      const body = JSON.stringify({ kind: 'profile', name, format: 'csv', source: { url: source.url } })
      await call('/v1/jobs', { method: 'POST', body })
      return source
    },
    async jobState(name) {
      const jobs = (await call('/v1/jobs')) as readonly Job[]
      return jobs.find((job) => job.name === name)?.state
    },
    startApi,
    async stopApi() {
      await api?.stop('SIGKILL')
    },
    async stop() {
      await Promise.all([...sources].map((source) => source.close()))
      await Promise.all([api?.stop(), engine.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A server of one CSV file that sends the first half, and the rest when it is told to. */
async function startSlowSource(): Promise<SlowSource & { readonly url: string }> {
  const half = '1,some text\n'.repeat(20_000)
  const file = `number,text\n${half}${half}`
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/csv', 'content-length': file.length })
    response.write(file.slice(0, file.length / 2))
    void released.then(() => response.end(file.slice(file.length / 2)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/slow.csv`,
    finish: release,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
