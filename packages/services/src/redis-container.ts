import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { accepts } from './accepts.js'
import { freePort } from './free-port.js'
import type { RedisOptions, RedisServer } from './redis-server.js'
import { startGuardedProcess } from './guarded-process.js'
import { waitFor } from './wait-for.js'

const run = promisify(execFile)
const image = 'redis:7-alpine'

/** Starts Redis in a container where a Docker engine runs; undefined where none does, or where TLS is asked for. */
export async function startRedisContainer({
  port: given,
  password,
  tls,
  settings = {},
}: RedisOptions): Promise<RedisServer | undefined> {
  if (tls || spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status !== 0)
    return undefined
  const port = given ?? (await freePort())
  const name = `ps-redis-${port}`
  const configuration = {
    save: '',
    appendonly: 'no',
    ...(password !== undefined && { requirepass: password }),
    ...settings,
  }
  const launch = async () => {
    const client = await startGuardedProcess({
      command: 'docker',
      arguments: [
        'run',
        '--rm',
        '--init',
        '--name',
        name,
        '--publish',
        `127.0.0.1:${port}:6379`,
        image,
        'redis-server',
        ...Object.entries(configuration).flatMap(([key, value]) => [`--${key}`, ...[value].flat()]),
      ],
    })
    await waitFor(async () => client.hasExited() || (await accepts(port)), {
      timeout: 120_000,
      what: 'a Redis container',
    })
    if (client.hasExited()) throw new Error(`the Redis container did not start: ${client.output().trim()}`)
    return client
  }
  let client = await launch()
  const halt = async (): Promise<void> => {
    await run('docker', ['rm', '--force', name]).catch(() => {})
    await client.exited
  }
  return {
    url: `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}/0`,
    port,
    get processId() {
      return client.processId
    },
    cli: undefined,
    environment: process.env,
    caFile: undefined,
    log: () => client.output(),
    kill: (signal) => void run('docker', ['kill', '--signal', signal, name]).catch(() => {}),
    async restart() {
      await halt()
      client = await launch()
    },
    halt,
    stop: halt,
  }
}
