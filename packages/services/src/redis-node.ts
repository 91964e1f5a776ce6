import { findRedis } from './redis-binaries.js'
import { RedisUnavailable } from './redis.js'
import { type RedisReply, requestRedis } from './redis-request.js'
import { startRestartableServer } from './restartable-server.js'

/** One server of several that belong together. */
export interface RedisNode {
  /** Its own port, whatever it announces. */
  readonly port: number
  readonly processId: number
  hasExited(): boolean
  /** Sends a command to it. */
  command(...parts: readonly (string | number)[]): Promise<RedisReply>
  log(): string
  kill(signal: NodeJS.Signals): void
  halt(): Promise<void>
  /** Stops it, if it still runs, and starts it again; it still knows the others. */
  restart(): Promise<void>
}

export interface RedisNodeOptions {
  /** For messages. */
  readonly name: string
  readonly port: number
  /** Removed when it is stopped for good, or does not start. */
  readonly folder: string
  /** Before the settings. */
  readonly arguments?: readonly string[] | undefined
  /** As in redis.conf. */
  readonly settings: Readonly<Record<string, string>>
  /** What it asks for. Default: nothing. */
  readonly password?: string | undefined
}

/** Starts one server on 127.0.0.1. Throws {@link RedisUnavailable} where no Redis can be had. */
export async function startRedisNode({
  name,
  port,
  folder,
  arguments: given = [],
  settings,
  password,
}: RedisNodeOptions): Promise<RedisNode & { stop(): Promise<void> }> {
  const found = await findRedis()
  if ('reason' in found) throw new RedisUnavailable(found.reason)
  const running = await startRestartableServer({
    name,
    port,
    folder,
    command: found.server,
    arguments: [...given, ...Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value])],
    environment: found.environment,
  })
  return {
    port,
    get processId() {
      return running.processId
    },
    hasExited: running.hasExited,
    command: (...parts) => requestRedis({ port, password, command: parts }),
    log: running.log,
    kill: running.kill,
    halt: running.halt,
    restart: running.restart,
    stop: running.stop,
  }
}
