import { createServer } from 'node:net'

/**
 * Below what systems give to those who ask for any port and to outgoing connections (from 32,768 on Linux, 49,152 elsewhere): one of those
 * would take a port between its being found and its being used, or while its server is away.
 */
const [first, last] = [20_000, 32_767] as const
const count = last - first + 1
// Each process begins elsewhere, and gives none twice before all have been given.
let next = Math.floor(Math.random() * count)

/** A TCP port on 127.0.0.1 that nobody uses now, and that nobody is given but by another call of this. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < count; tried += 1) {
    const port = first + next
    next = (next + 1) % count
    if (await isFree(port)) return port
  }
  throw new Error(`no port from ${first} to ${last} is free`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
