import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Program, type ProgramEnd, spawnProgram, uniqueName } from '@ps/services/vitest'
import { type Answer, ask, type AskOptions } from './ask.js'
import { openStream, type TestStream } from './test-stream.js'

export const apiFile = fileURLToPath(new URL('../dist/main.js', import.meta.url))

export interface ApiProcess {
  readonly url: string
  readonly port: number
  readonly program: Program
  readonly dataFolder: string
  readonly environment: Readonly<Record<string, string>>
  ask(path: string, options?: AskOptions): Promise<Answer>
  stream(...channels: string[]): Promise<TestStream>
  /** A stream of a client that has seen `lastId`. */
  resume(lastId: string, ...channels: string[]): Promise<TestStream>
  /** Ends it, and starts it again on the same port with the same data. */
  restart(signal?: NodeJS.Signals): Promise<ApiProcess>
  stop(signal?: NodeJS.Signals): Promise<ProgramEnd>
}

/** The api as a process of its own, on a free port and with a folder that is removed when it is stopped. */
export async function startApiProcess(environment: Record<string, string>): Promise<ApiProcess> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'ps-api-'))
  return launch(dataFolder, { PORT: '0', API_DATA_DIR: dataFolder, ...environment })
}

/** The environment of programs that hear each other and nobody else. */
export const ownWorld = (databaseUrl: string): Record<string, string> => ({
  DATABASE_URL: databaseUrl,
  PUBSUB_PREFIX: `${uniqueName('api')}:`,
})

async function launch(dataFolder: string, environment: Record<string, string>): Promise<ApiProcess> {
  const program = spawnProgram(apiFile, [], { environment })
  // A busy machine may start several at once.
  const [, url = ''] = await program.waitForOutput(/"url":"([^"]+)","msg":"listening"/, 40_000)
  const port = Number(new URL(url).port)
  const eventsUrl = (channels: readonly string[]): string =>
    `${url}/v1/events?${channels.map((channel) => `channel=${encodeURIComponent(channel)}`).join('&')}`
  const end = async (signal?: NodeJS.Signals): Promise<ProgramEnd> => program.stop(signal)
  return {
    url,
    port,
    program,
    dataFolder,
    environment,
    ask: (path, options) => ask(`${url}${path}`, options),
    stream: (...channels) => openStream(eventsUrl(channels)),
    resume: (lastId, ...channels) => openStream(eventsUrl(channels), { 'last-event-id': lastId }),
    async restart(signal) {
      await end(signal)
      return launch(dataFolder, { ...environment, PORT: String(port) })
    },
    async stop(signal) {
      const ended = await end(signal)
      rmSync(dataFolder, { recursive: true, force: true })
      return ended
    },
  }
}
