import { connect, type Socket } from 'node:net'
import { withDeadline } from '@ps/services/vitest'

/** A TCP connection on which a test writes what no HTTP client would. */
export interface RawConnection {
  readonly socket: Socket
  write(text: string | Buffer): void
  /** What has come so far. */
  text(): string
  /** What came until the server ended the connection; rejects where it does not within `timeout` milliseconds. */
  untilEnd(timeout?: number): Promise<string>
}

export async function openRawConnection(port: number): Promise<RawConnection> {
  let text = ''
  // What is written on purpose must not be ended because the server has.
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => (text += chunk))
  const ended = new Promise<void>((resolve) => {
    socket.on('end', resolve)
    socket.on('close', () => resolve())
    socket.on('error', () => resolve())
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return {
    socket,
    write: (piece) => void socket.write(piece),
    text: () => text,
    async untilEnd(timeout = 10_000) {
      try {
        await withDeadline(ended, timeout, 'the server to end the connection')
        return text
      } finally {
        socket.destroy()
      }
    },
  }
}
