import { chmodSync, chownSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Certificates, createCertificates } from './certificates.js'
import { freePort } from './free-port.js'
import { startRestartableServer } from './restartable-server.js'
import { findReverseProxy, type ReverseProxyName } from './reverse-proxy-binary.js'
import { serverUser } from './server-user.js'

export interface ReverseProxyOptions {
  readonly name: ReverseProxyName
  /** What stands in the section `http` of nginx.conf, or in a Caddyfile: it listens on `port`, for localhost. */
  readonly configuration: (place: ReverseProxyPlace) => string
}

export interface ReverseProxyPlace extends Certificates {
  readonly port: number
}

/** An nginx or a Caddy of our own, on 127.0.0.1. */
export interface ReverseProxy extends ReverseProxyPlace {
  log(): string
  stop(): Promise<void>
}

/** It cannot be had on this machine; the message says why and what to do. */
export class ReverseProxyUnavailable extends Error {}

/** Starts a private reverse proxy. Throws {@link ReverseProxyUnavailable} where it cannot be had. */
export async function startReverseProxy({ name, configuration }: ReverseProxyOptions): Promise<ReverseProxy> {
  const found = await findReverseProxy(name)
  if ('reason' in found) throw new ReverseProxyUnavailable(found.reason)
  const folder = mkdtempSync(join(tmpdir(), `ps-${name}-`))
  const certificates = await createCertificates(folder, (path) => path)
  const port = await freePort()
  const place = { ...certificates, port }
  const file = join(folder, name === 'nginx' ? 'nginx.conf' : 'Caddyfile')
  writeFileSync(file, (name === 'nginx' ? nginxFile : caddyFile)(configuration(place), folder))
  const running = await startRestartableServer({
    name,
    port,
    folder,
    command: found.file,
    arguments:
      name === 'nginx' ? ['-p', folder, '-c', file] : ['run', '--adapter', 'caddyfile', '--config', file],
    environment: { ...found.environment, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  })
  return { ...place, log: running.log, stop: running.stop }
}

/** The rest of what nginx must be told, so that it keeps to `folder`. */
function nginxFile(configuration: string, folder: string): string {
  const userId = serverUser()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => {
    const path = join(folder, kind)
    mkdirSync(path)
    if (userId !== undefined) chownSync(path, userId, userId)
    return `${kind}_temp_path ${path};`
  })
  // Its workers, who are nobody, have to get there.
  if (userId !== undefined) chmodSync(folder, 0o755)
  return [
    'daemon off;',
    `pid ${join(folder, 'nginx.pid')};`,
    'error_log stderr warn;',
    ...(userId === undefined ? [] : ['user nobody nogroup;']),
    'events {}',
    `http {\naccess_log off;\n${temporary.join('\n')}\n${configuration}\n}\n`,
  ].join('\n')
}

const caddyFile = (configuration: string): string => `{\nadmin off\nauto_https off\n}\n\n${configuration}\n`
