import type { Backend, BackendOptions } from '@ps/core'
import { createClusterBackend } from './cluster-backend.js'
import { parseConnectionUrl } from './connection-url.js'
import { createServerBackend, type ServerLocation } from './server-backend.js'

const fixed = (url: string): ServerLocation => {
  const target = parseConnectionUrl(url)
  return { target, locate: async () => target }
}

/**
 * The Redis backend, of the kind that the URL asks for: of one server (`redis://`, `rediss://`) or of a cluster
 * (`redis+cluster://`, `rediss+cluster://`).
 */
export function createBackend(options: BackendOptions): Backend {
  const { url, listenUrl } = options
  if (/^rediss?\+cluster:/i.test(url)) return createClusterBackend(options)
  return createServerBackend(() => {
    const publish = fixed(url)
    return { publish, listen: listenUrl === undefined ? publish : fixed(listenUrl) }
  }, options)
}
