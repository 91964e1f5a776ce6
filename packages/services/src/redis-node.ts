import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findRedis } from './redis-binaries.js'
import { RedisUnavailable, saysThatItServes } from './redis.js'
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
  /** Of the group: there it has a folder of its own. */
  readonly folder: string
  /** As in redis.conf, beside those that every node has. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Makes it a sentinel: what else stands in its sentinel.conf, a line each. */
  readonly sentinel?: readonly string[] | undefined
  /** What it asks for, of other nodes too. Default: nothing. */
  readonly password?: string | undefined
}

/** Starts one server on 127.0.0.1. Throws {@link RedisUnavailable} where no Redis can be had. */
export async function startRedisNode({
  name,
  port,
  folder: parent,
  settings = {},
  sentinel,
  password,
}: RedisNodeOptions): Promise<RedisNode & { stop(): Promise<void> }> {
  const found = await findRedis()
  if ('reason' in found) throw new RedisUnavailable(found.reason)
  const folder = mkdtempSync(join(parent, 'node-'))
  const all = Object.entries({
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    ...(password !== undefined && { requirepass: password }),
    ...(sentinel === undefined && {
      save: '',
      appendonly: 'no',
      'repl-diskless-sync-delay': '0',
      ...(password !== undefined && { masterauth: password }),
    }),
    ...settings,
  })
  const asSentinel = (lines: readonly string[]): string[] => {
    // It writes down there what it learns, so that it knows it after a restart.
    const file = join(folder, 'sentinel.conf')
    const own = all.map(([key, value]) => `${key} ${value}`)
    writeFileSync(file, [...own, ...lines, ''].join('\n'))
    return [file, '--sentinel']
  }
  const running = await startRestartableServer({
    name,
    port,
    folder,
    command: found.server,
    arguments:
      sentinel === undefined ? all.flatMap(([key, value]) => [`--${key}`, value]) : asSentinel(sentinel),
    environment: found.environment,
    isReady: saysThatItServes,
    temporaryFolders: [parent],
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
