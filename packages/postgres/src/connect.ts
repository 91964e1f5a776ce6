import { isPubSubError } from '@ps/core'
import { type Connection, type ConnectionUse, openConnection } from './connection.js'
import type { Address, ConnectionTarget, Encryption } from './connection-url.js'
import { isEncryptionRefusal } from './failures.js'

/**
 * Opens a connection to the first address of the target that takes it. Like libpq, goes on to the next address where one
 * cannot be reached (or is a standby), and to the next kind of encryption where the server refuses one.
 */
export async function connectToAny(target: ConnectionTarget, use: ConnectionUse): Promise<Connection> {
  let failure: unknown
  for (const address of target.addresses) {
    try {
      return await connectTo(target, address, use)
    } catch (error) {
      if (!isPubSubError(error, 'unavailable')) throw error
      failure = error
    }
  }
  throw failure
}

async function connectTo(
  target: ConnectionTarget,
  address: Address,
  use: ConnectionUse,
): Promise<Connection> {
  // A unix socket needs no TLS, and the server has none there.
  const encryptions: readonly Encryption[] = address.host.startsWith('/') ? [false] : target.encryptions
  let failure: unknown
  for (const encryption of encryptions) {
    try {
      return await openConnection(target, address, encryption, use)
    } catch (error) {
      // The first refusal is the one to report: a password is wrong whatever the encryption.
      failure ??= error
      if (!(error instanceof Error) || !isEncryptionRefusal(error)) throw failure
    }
  }
  throw failure
}
