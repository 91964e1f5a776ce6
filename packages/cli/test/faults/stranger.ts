import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'vitest'

/** Something that is no broker, at a port. Gives the port. */
export async function startStranger(test: TestContext, serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => serve(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  test.onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}
