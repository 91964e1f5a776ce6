import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCertificates } from './certificates.js'
import { freePort } from './free-port.js'
import type { GuardedProcess } from './guarded-process.js'
import { startRedisContainer } from './redis-container.js'
import { findRedis } from './redis-binaries.js'
import type { RedisOptions, RedisServer } from './redis-server.js'
import { startRestartableServer } from './restartable-server.js'

/** No Redis can be had on this machine; the message says why and what to do. */
export class RedisUnavailable extends Error {}

/**
 * Whether a server has taken its ports. That one of them takes connections does not tell: another program may have it, and of a cluster's
 * node it does so before the node has taken the other and lives on.
 */
export const saysThatItServes = (server: GuardedProcess): boolean =>
  /Server initialized|Sentinel ID is/.test(server.output())

/** Starts a private Redis. Throws {@link RedisUnavailable} where none can be had. */
export async function startRedis({
  port: given,
  password,
  tls = false,
  settings = {},
}: RedisOptions = {}): Promise<RedisServer> {
  const found = await findRedis()
  if ('reason' in found) {
    const container = await startRedisContainer({ port: given, password, tls, settings })
    if (container === undefined) throw new RedisUnavailable(found.reason)
    return container
  }
  const { server: command, cli, environment } = found
  const folder = mkdtempSync(join(tmpdir(), 'ps-redis-'))
  const port = given ?? (await freePort())
  const certificates = tls ? await createCertificates(folder, (path) => path, tls === 'expired') : undefined
  const all: Record<string, string | readonly string[]> = {
    bind: '127.0.0.1',
    port: tls ? '0' : String(port),
    dir: folder,
    save: '',
    appendonly: 'no',
    ...(password !== undefined && { requirepass: password }),
    ...(certificates && {
      'tls-port': String(port),
      'tls-cert-file': certificates.certificateFile,
      'tls-key-file': certificates.keyFile,
      'tls-ca-cert-file': certificates.authorityFile,
      'tls-auth-clients': 'no',
    }),
    ...settings,
  }

  const running = await startRestartableServer({
    name: 'Redis',
    port,
    folder,
    command,
    arguments: Object.entries(all).flatMap(([name, value]) => [`--${name}`, ...[value].flat()]),
    environment,
    isReady: saysThatItServes,
  })
  const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`
  return {
    url: `${tls ? 'rediss' : 'redis'}://${credentials}127.0.0.1:${port}/0`,
    port,
    get processId() {
      return running.processId
    },
    cli,
    environment,
    caFile: certificates?.authorityFile,
    log: running.log,
    kill: running.kill,
    restart: running.restart,
    halt: running.halt,
    stop: running.stop,
  }
}
