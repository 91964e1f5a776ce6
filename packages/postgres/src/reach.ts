import { isIP } from 'node:net'
import type { Finding } from '@ps/core'
import { connectToAny } from './connect.js'
import { connectFinding } from './connect-finding.js'
import type { Connection, ConnectionUse } from './connection.js'
import { type ConnectionTarget, parseConnectionUrl } from './connection-url.js'

/** Connects to the first address of the URL that can be used, as a client would, and says what it meets. `variable` holds the URL. */
export async function* reach(
  url: string,
  variable: string,
  use: ConnectionUse,
): AsyncGenerator<Finding, Connection | undefined> {
  let target: ConnectionTarget
  try {
    target = parseConnectionUrl(url)
  } catch (error) {
    yield connectFinding(error, variable)
    return undefined
  }
  const failures: Finding[] = []
  for (const address of target.addresses) {
    try {
      const connection = await connectToAny({ ...target, addresses: [address] }, use)
      for (const failure of failures) yield { ...failure, severity: 'warning' }
      if (!isLocal(address.host)) yield encryptionFinding(target, connection.where, variable)
      return connection
    } catch (error) {
      failures.push(connectFinding(error, variable))
    }
  }
  yield* failures
  return undefined
}

const isLocal = (host: string): boolean =>
  host.startsWith('/') ||
  host === 'localhost' ||
  host === '::1' ||
  (isIP(host) === 4 && host.startsWith('127.'))

function encryptionFinding({ encryptions }: ConnectionTarget, where: string, variable: string): Finding {
  const code = 'encryption'
  const fix = `where others share the network, write sslmode=verify-full in ${variable}, and sslrootcert=/file for an authority of your own`
  if (encryptions.includes(false)) {
    const message = `the way to ${where} is not encrypted, or only where the server likes; the password and all messages can be read on it`
    return { code, severity: 'warning', message, fix }
  }
  const isChecked = encryptions.every(
    (encryption) => encryption !== false && encryption.options.rejectUnauthorized === true,
  )
  return isChecked
    ? { code, severity: 'ok', message: `the way to ${where} is encrypted, and its certificate checked` }
    : {
        code,
        severity: 'warning',
        message: `the way to ${where} is encrypted, but its certificate is not checked: someone in between could pretend to be it`,
        fix,
      }
}
