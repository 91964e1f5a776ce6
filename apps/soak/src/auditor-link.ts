import { once } from 'node:events'
import { connect } from 'node:net'
import type { Report } from './messages.js'

/** Brings reports to the auditor, past every proxy. */
export interface AuditorLink {
  send(report: Report): void
  /** Resolves when the auditor has all that was sent. */
  end(): Promise<void>
}

export async function connectToAuditor(port: number): Promise<AuditorLink> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  return {
    send: (report) => void socket.write(`${JSON.stringify(report)}\n`),
    async end() {
      const closed = once(socket, 'close')
      socket.end()
      // The auditor closes its side once it has read everything.
      socket.resume()
      await closed
    },
  }
}
