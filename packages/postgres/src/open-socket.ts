import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Address, Encryption } from './connection-url.js'
import { noTlsError } from './failures.js'
import { muteError, muteMilliseconds } from './watch-silence.js'

/** How long a connection is idle before the kernel probes the other side, in milliseconds. */
const keepAliveMilliseconds = 10_000

/** PostgreSQL's SSLRequest: its length, and a code that is no version of the protocol. */
const tlsRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/**
 * Opens a socket to the server, encrypted as asked: the part of connecting that comes before PostgreSQL's own protocol.
 * It is not left to postgres.js, which drops every listener of a socket that it encrypts, so that an error of it ends the
 * process, and checks the certificate of an IP address for `localhost`.
 */
export function openSocket(
  { host, port }: Address,
  encryption: Encryption,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const raw = host.startsWith('/')
      ? connect(`${host}/.s.PGSQL.${port}`)
      : connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMilliseconds })

    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    const fail = (cause: Error): void => {
      settle()
      raw.destroy()
      reject(cause)
    }
    const succeed = (socket: Socket): void => {
      settle()
      resolve(socket)
    }
    const abort = (): void => fail(signal.reason)
    const timer = setTimeout(() => fail(muteError()), muteMilliseconds)
    signal.addEventListener('abort', abort)

    raw.on('error', fail)
    raw.on('close', () => fail(new Error('the connection was closed')))
    raw.once('connect', () => {
      if (encryption === false) return succeed(raw)
      raw.write(tlsRequest)
      raw.once('data', (answer) => {
        const text = String(answer)
        if (text === 'N' && !encryption.required) return succeed(raw)
        if (text === 'N') return fail(noTlsError())
        // More than this byte would have been put there by someone in between.
        if (text !== 'S') return fail(new Error('the answer is none of PostgreSQL'))
        const encrypted = connectTls({
          socket: raw,
          host,
          ...(isIP(host) === 0 && { servername: host }),
          ...encryption.options,
        })
        encrypted.on('error', fail)
        encrypted.once('secureConnect', () => succeed(encrypted))
      })
    })
  })
}
