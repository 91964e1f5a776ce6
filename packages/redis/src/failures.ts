import { describeError, PubSubError } from '@ps/core'
import type { ConnectionTarget } from './connection-url.js'

const backend = 'redis'

/** Whether the server answered with an error, on a connection that lives on. */
export const isRefusal = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'ReplyError'

/** Whether the server refuses this to our user. */
export const isForbidden = (error: unknown): boolean => isRefusal(error) && error.message.startsWith('NOPERM')

/** Whether a node of a cluster says that another one serves the slot, or that it does not serve it now: it did nothing. */
export const isRedirect = (error: unknown): error is Error =>
  isRefusal(error) && /^(MOVED|ASK|TRYAGAIN) ?/.test(error.message)

/** Whether a PING that was refused tells all the same that messages move: its user may not PING, or its disk is full. */
export const isAnswer = (error: unknown): boolean =>
  isRefusal(error) && /^(NOPERM|MISCONF)/.test(error.message)

const isTlsFailure = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH)/.test(
    error.code,
  )

/**
 * Says why a connection could not be made or was lost. `configuration` and `authentication` are what no waiting can
 * mend, all else is `unavailable`.
 */
export function connectionFailure(error: unknown, target: ConnectionTarget, opened = true): PubSubError {
  const { host, port, tls } = target
  const where = `Redis at ${host.includes(':') ? `[${host}]` : host}:${port}`
  const because = describeError(error)
  const details = { backend, cause: error }
  if (isRefusal(error)) {
    if (because.startsWith('NOAUTH'))
      return new PubSubError('authentication', `${where} asks for a password; put it into the URL`, details)
    if (
      /^(WRONGPASS|ERR invalid (username|password)|ERR wrong number of arguments for 'auth')/i.test(because)
    ) {
      return new PubSubError(
        'authentication',
        `${where} refused the user or the password: ${because}; check both in the URL`,
        details,
      )
    }
  }
  if (isTlsFailure(error)) {
    return new PubSubError(
      'configuration',
      `${where}: no TLS connection: ${because}; name the authority of its certificate by ca=/file in the URL, or write redis for rediss where it has no TLS`,
      details,
    )
  }
  const advice = opened ? '' : tlsAdvice(because, tls !== undefined)
  return new PubSubError('unavailable', `${where}: ${because}${advice}`, details)
}

/** A server that expects TLS hangs up on a plain handshake; one that has none waits for the end of a line. */
function tlsAdvice(because: string, encrypted: boolean): string {
  if (encrypted && /ETIMEDOUT/.test(because))
    return '; where the server has no TLS, the URL begins with redis, not rediss'
  if (!encrypted && /ECONNRESET|EPIPE|closed the connection/.test(because))
    return '; where the server expects TLS, the URL begins with rediss'
  return ''
}

/** Says why a channel is not subscribed. */
export const subscribeFailure = (error: unknown, channel: string): PubSubError =>
  new PubSubError('not_permitted', `Redis does not permit listening: ${describeError(error)}`, {
    backend,
    channel,
    cause: error,
  })

/** Says why a message that was refused, or whose connection was lost, is not known to be sent. */
export function publishFailure(error: unknown, channel: string): PubSubError {
  const details = { backend, channel, cause: error }
  const because = describeError(error)
  if (isForbidden(error))
    return new PubSubError('not_permitted', `Redis does not permit publishing: ${because}`, details)
  return isRefusal(error)
    ? new PubSubError('not_sent', `the message was not sent: ${because}`, details)
    : new PubSubError('outcome_unknown', `the message may or may not have been sent: ${because}`, details)
}
