import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A link to a server that counts what comes from there. */
export interface CountingRelay {
  through(url: string): string
  /** Bytes from the server, so far. */
  readonly received: number
  close(): void
}

export async function startCountingRelay(target: string): Promise<CountingRelay> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let received = 0
  const server = createServer((outer) => {
    const inner = connect(Number(port), hostname)
    inner.on('data', (chunk) => (received += chunk.length))
    for (const [one, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(one)
      one.setNoDelay(true)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => sockets.delete(one))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    through(url) {
      const changed = new URL(url)
      changed.port = String((server.address() as AddressInfo).port)
      return changed.href
    },
    get received() {
      return received
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
