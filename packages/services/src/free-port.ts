import { createServer, type Server } from 'node:net'

/**
 * Below what systems give to those who ask for any port and to outgoing connections (from 32,768 on Linux, 49,152 elsewhere): one of those
 * would take a port between its being found and its being used, or while its server is away.
 */
const firstPort = 20_000
const blockSize = 32
const blocks = 399

/** Of the blocks that this process has claimed, what it has not given yet. */
const unused: number[] = []
let claiming: Promise<void> | undefined

/** A TCP port on 127.0.0.1 that nobody uses now, and that no other call of this is given while this process lives. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = unused.shift()
    if (port === undefined) {
      claiming ??= claimBlock().finally(() => {
        claiming = undefined
      })
      await claiming
    } else {
      const server = await listen(port)
      if (server === undefined) continue
      await new Promise((resolve) => server.close(resolve))
      return port
    }
  }
}

/** Holds the first port of a block, which tells other processes to leave the others alone. The system lets go of it, however we end. */
async function claimBlock(): Promise<void> {
  const start = Math.floor(Math.random() * blocks)
  for (let tried = 0; tried < blocks; tried += 1) {
    const held = firstPort + ((start + tried) % blocks) * blockSize
    const server = await listen(held)
    if (server === undefined) continue
    server.unref()
    for (let port = held + 1; port < held + blockSize; port += 1) unused.push(port)
    return
  }
  throw new Error(`no port from ${firstPort} to ${firstPort + blocks * blockSize - 1} is free`)
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
