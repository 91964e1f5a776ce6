import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient, silentLogger } from '@ps/core'

/** The channel that every stream carries. */
export const channel = 'streams'

/** As many as our api lets wait: with the default most of those that come back together would be turned away. */
export const maxWaitingConnections = 8_192

/**
 * Where the messages of a peer come from: the broker that ours come from, by the same client. What remains between them is
 * how they are sent.
 */
export async function hearMessages(onMessage: (message: unknown) => void): Promise<void> {
  const client = await createClient({
    backends: { postgres: () => import('@ps/postgres') },
    log: silentLogger,
  })
  await client.listen(channel, onMessage)
}

export async function serve(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', maxWaitingConnections, resolve))
  tellAddress(server)
}

/** As the api does. */
export function tellAddress(server: Server): void {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}`, msg: 'listening' })}\n`)
}
