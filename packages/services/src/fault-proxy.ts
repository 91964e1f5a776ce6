import { connect, createServer, type Server, type Socket } from 'node:net'

export interface FaultProxyOptions {
  readonly host?: string | undefined
  readonly port: number
}

/** A TCP proxy on 127.0.0.1 whose link a test breaks. */
export interface FaultProxy {
  readonly port: number
  /** The same URL, through the proxy. */
  through(url: string): string
  /** How many connections are open. */
  readonly connections: number
  /** Breaks every open connection; new ones are taken. Returns how many there were. */
  cut(): number
  /** Keeps every connection open and moves no byte, in neither direction; new ones are taken, and mute. */
  freeze(): void
  thaw(): void
  /** Takes no new connections: they are refused. */
  refuse(): Promise<void>
  accept(): Promise<void>
  close(): Promise<void>
}

export async function startFaultProxy({
  host = '127.0.0.1',
  port: target,
}: FaultProxyOptions): Promise<FaultProxy> {
  const links = new Set<{ inner: Socket; outer: Socket }>()
  let frozen = false
  let server: Server | undefined
  let port = 0

  const serve = (outer: Socket): void => {
    const inner = connect({ host, port: target, noDelay: true })
    outer.setNoDelay(true)
    const link = { inner, outer }
    links.add(link)
    const end = (): void => {
      links.delete(link)
      inner.destroy()
      outer.destroy()
    }
    for (const socket of [inner, outer]) socket.on('error', end).on('close', end)
    outer.pipe(inner)
    inner.pipe(outer)
    if (frozen) pause(link)
  }

  const pause = ({ inner, outer }: { inner: Socket; outer: Socket }): void => {
    outer.unpipe(inner)
    inner.unpipe(outer)
    outer.pause()
    inner.pause()
  }

  const listen = (at: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const opened = createServer(serve)
      opened.on('error', reject)
      opened.listen(at, '127.0.0.1', () => {
        const address = opened.address()
        if (address !== null && typeof address === 'object') port = address.port
        server = opened
        resolve()
      })
    })

  const stopListening = async (): Promise<void> => {
    const closing = server
    server = undefined
    // Resolves without waiting for the open connections: those are for `cut`.
    closing?.close()
  }

  const cut = (): number => {
    const count = links.size
    for (const { inner, outer } of links) {
      inner.destroy()
      outer.resetAndDestroy()
    }
    return count
  }

  await listen(0)
  return {
    get port() {
      return port
    },
    through(url) {
      const changed = new URL(url)
      changed.hostname = '127.0.0.1'
      changed.port = String(port)
      return changed.href
    },
    get connections() {
      return links.size
    },
    cut,
    freeze() {
      frozen = true
      for (const link of links) pause(link)
    },
    thaw() {
      frozen = false
      for (const { inner, outer } of links) {
        outer.pipe(inner)
        inner.pipe(outer)
      }
    },
    refuse: stopListening,
    accept: () => (server === undefined ? listen(port) : Promise.resolve()),
    async close() {
      await stopListening()
      cut()
    },
  }
}
