import { describeError, PubSubError } from '@ps/core'
import type { Address, ConnectionTarget } from './connection-url.js'

/** An error as PostgreSQL sent it. */
interface ServerError extends Error {
  readonly severity: string
  readonly code: string
}

const isServerError = (error: unknown): error is ServerError =>
  error instanceof Error &&
  'severity' in error &&
  typeof error.severity === 'string' &&
  'code' in error &&
  typeof error.code === 'string'

/** Whether the server refused a statement (and so rolled it back) on a connection that lives on. */
export const isRefusal = (error: unknown): error is ServerError =>
  isServerError(error) && error.severity === 'ERROR' && !/^(57P|08)/.test(error.code)

/** Whether a message was refused for what it is, or for who publishes it, and not for how the server is. */
export const isFaultOfMessage = (error: unknown): boolean => isRefusal(error) && /^(22|42)/.test(error.code)

/** A failure in words; of a refusal that lies with others, also with whom. */
export function explain(error: unknown): string {
  const words = describeError(error)
  const code = isRefusal(error) ? error.code : undefined
  if (code === '54000')
    return `${words}; end the session that listens and stays in a transaction: the server's log names it`
  if (code === '55P03')
    return `${words}: another transaction that notifies does not end its commit, for which all wait; one that waits for a synchronous standby, say`
  return words
}

/** How an address reads in messages. */
export const describeAddress = ({ host, port }: Address): string =>
  host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host.includes(':') ? `[${host}]` : host}:${port}`

/** Whether the server would not have this kind of encryption, so that the next kind may be tried. */
export const isEncryptionRefusal = (error: Error): boolean => {
  const { cause } = error
  return isServerError(cause) ? cause.code === '28000' : isTlsFailure(cause)
}

const isTlsFailure = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH|PS_NO_TLS)/.test(
    error.code,
  )

/** Gives the errors that postgres.js has of its own a plain text: theirs name no server, since the socket is ours. */
export function withoutDriver(error: Error): Error {
  const code = 'code' in error ? error.code : undefined
  return code === 'CONNECTION_CLOSED' || code === 'CONNECTION_DESTROYED' || code === 'CONNECTION_ENDED'
    ? new Error('the connection was closed', { cause: error })
    : error
}

/** The server answered that it does not speak TLS. */
export const noTlsError = (): Error =>
  Object.assign(new Error('the server does not offer TLS'), {
    code: 'PS_NO_TLS',
  })

/** The server only reads. */
export const standbyError = (): Error =>
  Object.assign(
    new Error('it is a hot standby, which can neither NOTIFY nor LISTEN; connect to the primary'),
    { code: 'PS_STANDBY' },
  )

/**
 * Says why a connection could not be made. `configuration` and `authentication` are what no waiting can mend, all
 * else is `unavailable`.
 */
export function connectFailure(
  cause: unknown,
  address: Address,
  { user, database }: ConnectionTarget,
): PubSubError {
  const where = `PostgreSQL at ${describeAddress(address)}`
  const because = describeError(cause)
  const details = { backend: 'postgres', cause }
  if (isServerError(cause)) {
    if (cause.code.startsWith('28')) {
      const advice = /no encryption|SSL off/i.test(because)
        ? 'add sslmode=require to the URL'
        : 'check the user and the password of the URL'
      return new PubSubError(
        'authentication',
        `${where} refused the user "${user}": ${because}; ${advice}`,
        details,
      )
    }
    // Invalid database, access denied, an unknown or invalid setting among the options.
    if (/^(3D|42|22)/.test(cause.code)) {
      return new PubSubError(
        'configuration',
        `${where} refused the database "${database}" to the user "${user}": ${because}; correct the URL`,
        details,
      )
    }
  }
  if (isServerError(cause) && cause.code === '53300') {
    return new PubSubError(
      'unavailable',
      `${where}: ${because}; raise max_connections or the limit of the user "${user}", or end other connections`,
      details,
    )
  }
  if (isTlsFailure(cause)) {
    return new PubSubError(
      'configuration',
      `${where}: no TLS connection: ${because}; check sslmode and sslrootcert of the URL`,
      details,
    )
  }
  return new PubSubError('unavailable', `${where}: ${because}`, details)
}

/** Says why a message that was refused, or whose connection was lost, is not known to be sent. */
export function publishFailure(
  cause: Error,
  channel: string,
  sent: 'not_sent' | 'outcome_unknown',
): PubSubError {
  const details = { backend: 'postgres', channel, cause }
  const because = explain(cause)
  if (isRefusal(cause) && cause.code === '42501')
    return new PubSubError('not_permitted', `PostgreSQL does not permit publishing: ${because}`, details)
  return sent === 'not_sent'
    ? new PubSubError('not_sent', `the message was not sent: ${because}`, details)
    : new PubSubError('outcome_unknown', `the message may or may not have been sent: ${because}`, details)
}
