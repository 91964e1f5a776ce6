import type { Backend, BackendOptions } from '@ps/core'
import { createClusterBackend } from './cluster-backend.js'
import { parseConnectionUrl } from './connection-url.js'
import { createSentinelLocation } from './sentinel-location.js'
import { createServerBackend, type ServerLocation } from './server-backend.js'

const fixed = (url: string): ServerLocation => {
  const target = parseConnectionUrl(url)
  return { target, locate: async () => target }
}

/**
 * The Redis backend, of the kind that the URL asks for: of one server (`redis://`, `rediss://`), of the master that
 * sentinels name (`redis+sentinel://`, `rediss+sentinel://`) or of a cluster (`redis+cluster://`, `rediss+cluster://`).
 */
export function createBackend(options: BackendOptions): Backend {
  const { url, listenUrl } = options
  if (/^rediss?\+cluster:/i.test(url)) return createClusterBackend(options)
  if (/^rediss?\+sentinel:/i.test(url)) {
    return createServerBackend(() => {
      const master = createSentinelLocation(url)
      return { publish: master, listen: master }
    }, options)
  }
  return createServerBackend(() => {
    const publish = fixed(url)
    return { publish, listen: listenUrl === undefined ? publish : fixed(listenUrl) }
  }, options)
}
