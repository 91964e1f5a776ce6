import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ObservedProcess, startObservedProcess } from '@ps/services'
import type { Row } from '../results.js'

/** A program that serves event streams. */
export interface StreamContestant extends Pick<Row, 'contestant' | 'kind' | 'base'> {
  /** The built file, from the folder of the apps. */
  readonly file: string
  /** Whether a client that comes back is sent what it has missed. */
  readonly replays: boolean
}

export const streamContestants: readonly StreamContestant[] = [
  { contestant: '@ps api', kind: 'ours', base: false, file: 'api/dist/main.js', replays: true },
  {
    contestant: 'node:http',
    kind: 'raw',
    base: true,
    file: 'bench/dist/streams/servers/node-http.js',
    replays: false,
  },
  {
    contestant: 'better-sse',
    kind: 'peer',
    base: false,
    file: 'bench/dist/streams/servers/better-sse.js',
    replays: false,
  },
  {
    contestant: '@fastify/sse',
    kind: 'peer',
    base: false,
    file: 'bench/dist/streams/servers/fastify-sse.js',
    replays: true,
  },
]

export interface StreamServer {
  readonly port: number
  readonly process: ObservedProcess
  stop(): Promise<void>
}

/** The folder of the apps, from what is built of this one and from its sources. */
const apps = ['../..', '../../..']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((folder) => existsSync(join(folder, 'bench')))

/** Starts it, on a free port. It hears what is published over the database. */
export async function startStreamServer(
  { file }: StreamContestant,
  environment: Readonly<Record<string, string>>,
  nodeArguments: readonly string[],
): Promise<StreamServer> {
  if (apps === undefined) throw new Error('the folder of the apps is not where it was')
  const dataFolder = mkdtempSync(join(tmpdir(), 'ps-bench-api-'))
  const observed = await startObservedProcess({
    file: join(apps, file),
    environment: {
      ...environment,
      NODE_ENV: 'production',
      PORT: '0',
      API_DATA_DIR: dataFolder,
      API_ADDRESS_RATE: '0',
      API_CREDENTIAL_RATE: '0',
      // Longer than any measurement: nobody is to be sent away in one.
      API_STREAM_MAX_AGE: '3600000',
    },
    nodeArguments,
  })
  const stop = async (): Promise<void> => {
    await observed.stop()
    rmSync(dataFolder, { recursive: true, force: true })
  }
  try {
    const [, port] = await observed.waitForOutput(/"url":"http:\/\/127\.0\.0\.1:(\d+)","msg":"listening"/)
    return { port: Number(port), process: observed, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
