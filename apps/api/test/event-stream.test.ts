import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { waitFor } from '@ps/services/vitest'
import { expect, it, onTestFinished } from 'vitest'
import { type EventStream, openEventStream } from '../src/event-stream.js'

/** Longer than what the system takes for a connection by itself. */
const frame = Buffer.alloc(64 * 1024 ** 2, 'x')

interface Client {
  readonly stream: EventStream
  readonly socket: Socket
  readonly isCut: () => boolean
}

/** Clients that read nothing by themselves, each of a stream that has one long frame. */
async function openClients(count: number): Promise<Client[]> {
  const streams: EventStream[] = []
  const cut = new Set<number>()
  const server = createServer((_request, response) => {
    const number = streams.length
    streams.push(
      openEventStream({
        response,
        headers: {},
        audience: {
          came: { frames: 1, bytes: frame.length },
          after: (cursor) => (cursor === 0 ? { bytes: frame, frames: 1, last: 1 } : undefined),
        },
        cursor: 0,
        opening: Buffer.alloc(0),
        stallTime: 2_000,
        onDelivered() {},
        onClose() {},
        onSlow: () => void cut.add(number),
      }),
    )
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const clients: Client[] = []
  for (let number = 0; number < count; number += 1) {
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const stream = await waitFor(() => streams[number])
    clients.push({ stream, socket, isCut: () => cut.has(number) })
  }
  return clients
}

it('cuts a client that takes nothing, and none that is slow to take one long message', async () => {
  const [slow, stalled] = await openClients(2)
  if (slow === undefined || stalled === undefined) throw new Error('there are two')
  for (const { stream } of [slow, stalled]) stream.advance()
  let taken = 0
  await waitFor(() => {
    taken += (slow.socket.read() as Buffer | null)?.length ?? 0
    for (const { stream } of [slow, stalled]) stream.ping(Buffer.from('event: ps.ping\ndata: {}\n\n'))
    return stalled.isCut()
  })
  expect(slow.stream.place().untakenBytes).toBeGreaterThan(0)
  slow.socket.on('data', ({ length }: Buffer) => (taken += length))
  await waitFor(() => taken > frame.length)
  expect(slow.isCut()).toBe(false)
})
