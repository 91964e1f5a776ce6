import { type AddressInfo, connect, createServer } from 'node:net'

/** What is done to one chunk of an answer that has messages in it. */
export type Change = (chunk: string) => string

const chunkWithMessages = /[0-9a-f]+\r\nid: (?:(?!\r\n)[\s\S])*\r\n/

/** A way to a server on which one chunk in a hundred is changed. */
export async function openLossyWay(
  port: number,
  change: Change,
): Promise<{ readonly port: number; close(): void }> {
  let seen = 0
  const server = createServer((outer) => {
    const inner = connect(port, '127.0.0.1')
    outer.pipe(inner)
    inner.on('data', (bytes) => {
      const text = bytes.toString('latin1')
      seen += 1
      outer.write(seen % 100 === 0 ? text.replace(chunkWithMessages, change) : text, 'latin1')
    })
    outer.on('close', () => inner.destroy())
    inner.on('close', () => outer.destroy())
    for (const socket of [outer, inner]) socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => void server.close(),
  }
}
