import type { CommandStream } from './command-stream.js'
import type { ConnectionTarget } from './connection-url.js'
import { isRefusal } from './failures.js'

/** Before version 6 there is only RESP 2, and so it is where an operator has renamed the command. */
const knowsNoHello = (error: unknown): boolean =>
  isRefusal(error) && /^NOPROTO|unknown command/i.test(error.message)

/** What such a server says to whom gives a password, where it asks for none. */
const needsNoPassword = (error: unknown): boolean =>
  isRefusal(error) && /no password is set|without any password configured/.test(error.message)

/** The first that is said on a connection: who we are, and that we speak RESP 3. Rejects with what the server refuses. */
export async function logIn(
  call: CommandStream['call'],
  { username, password }: ConnectionTarget,
): Promise<void> {
  const hasCredentials = username !== '' || password !== ''
  try {
    await call('HELLO', '3', ...(hasCredentials ? ['AUTH', username || 'default', password] : []))
  } catch (error) {
    if (!knowsNoHello(error)) throw error
    if (!hasCredentials) return
    await call('AUTH', ...(username === '' ? [] : [username]), password).catch((refusal: unknown) => {
      if (!needsNoPassword(refusal)) throw refusal
    })
  }
}
