import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from './free-port.js'
import { createLane, type LinkFaults } from './link-lane.js'

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
  /** How many connections have been taken so far. */
  readonly accepted: number
  /** How many bytes have come while frozen so far. 64 kB a connection and direction are taken; the rest waits with its sender. */
  readonly heldBytes: number
  /** Breaks every open connection; new ones are taken. Returns how many there were. */
  cut(): number
  /** Keeps every connection open and moves no byte, in neither direction; new ones are taken, and mute. */
  freeze(): void
  /** Ends the freeze: what was held back moves on. */
  thaw(): void
  /** From now on every byte travels alone, in both directions. */
  trickle(): void
  /** From now on everything, an end too, arrives so many milliseconds late, in each direction and in order. */
  delay(milliseconds: number): void
  /** Ends `trickle` and `delay`: what is on its way arrives at once. A freeze goes on. */
  normal(): void
  /** Takes no new connections: they are refused. */
  refuse(): Promise<void>
  accept(): Promise<void>
  close(): Promise<void>
}

interface Link {
  readonly inner: Socket
  readonly outer: Socket
  wake(): void
}

export async function startFaultProxy({
  host = '127.0.0.1',
  port: target,
}: FaultProxyOptions): Promise<FaultProxy> {
  const links = new Set<Link>()
  const faults: LinkFaults = { frozen: false, trickling: false, delay: 0, heldBytes: 0 }
  let accepted = 0
  let server: Server | undefined

  const serve = (outer: Socket): void => {
    accepted += 1
    const inner = connect({ host, port: target, noDelay: true, allowHalfOpen: true })
    outer.setNoDelay(true)
    const lanes = [createLane(outer, inner, faults), createLane(inner, outer, faults)]
    const link = { inner, outer, wake: () => lanes.forEach((lane) => lane.wake()) }
    links.add(link)
    const leave = (): void => {
      if (inner.closed && outer.closed) links.delete(link)
    }
    for (const socket of [inner, outer]) socket.on('close', leave)
  }

  const change = (changes: Partial<LinkFaults>): void => {
    Object.assign(faults, changes)
    for (const { wake } of links) wake()
  }

  // Not one that the system would give to anybody: it must still be free after `refuse`.
  const port = await freePort()

  const listen = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const opened = createServer({ allowHalfOpen: true }, serve)
      opened.on('error', reject)
      opened.listen(port, '127.0.0.1', () => {
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
      // Node never closes a handle that is reset while it shuts down, and then spins at the program's end.
      if (outer.writableEnded) outer.destroy()
      else outer.resetAndDestroy()
    }
    return count
  }

  await listen()
  return {
    port,
    through(url) {
      const changed = new URL(url)
      changed.hostname = '127.0.0.1'
      changed.port = String(port)
      return changed.href
    },
    get connections() {
      return links.size
    },
    get accepted() {
      return accepted
    },
    get heldBytes() {
      return faults.heldBytes
    },
    cut,
    freeze: () => change({ frozen: true }),
    thaw: () => change({ frozen: false }),
    trickle: () => change({ trickling: true }),
    delay: (milliseconds) => change({ delay: milliseconds }),
    normal: () => change({ trickling: false, delay: 0 }),
    refuse: stopListening,
    accept: () => (server === undefined ? listen() : Promise.resolve()),
    async close() {
      await stopListening()
      cut()
    },
  }
}
