import { describeError, type Finding } from '@ps/core'
import type { Connection } from './connection.js'
import type { SelfTest } from './self-test.js'

/** Says whether what `publishing` notifies of is heard on `listening`; `listening` is lost where it is not. */
export async function hearingFinding(
  publishing: Connection,
  listening: Connection,
  selfTest: SelfTest,
  hasListenUrl: boolean,
): Promise<Finding> {
  const pooled = { publishing: await isPooled(publishing), listening: await isPooled(listening) }
  try {
    await selfTest.run(publishing, listening)
  } catch (error) {
    if (pooled.listening) {
      return {
        code: 'transaction_pooler',
        severity: 'problem',
        message: `${listening.where} is a pooler that gives its sessions away between transactions: LISTEN succeeds and hears nothing`,
        fix: hasListenUrl
          ? 'let PUBSUB_LISTEN_URL lead to the server itself, past the pooler'
          : 'set PUBSUB_LISTEN_URL to the address of the server itself, past the pooler; DATABASE_URL may stay as it is',
      }
    }
    return {
      code: 'not_heard',
      severity: 'problem',
      message: describeError(error),
      fix: hasListenUrl
        ? 'let DATABASE_URL and PUBSUB_LISTEN_URL lead to the same database of the same server'
        : 'look into the log of the server, and at what stands between it and this machine',
    }
  }
  const words = pooled.listening
    ? ', through a pooler that keeps a session for each client'
    : pooled.publishing
      ? ': it is sent through a pooler, and heard past it'
      : ''
  return { code: 'hears', severity: 'ok', message: `a NOTIFY is heard on another session${words}` }
}

/** A pooler tells its clients a process of its own invention. */
async function isPooled(connection: Connection): Promise<boolean> {
  let told: unknown
  const [actual] = await connection.query((sql) => {
    const asked = sql<{ process: number }[]>`select pg_backend_pid() as process`
    told = asked
    return asked
  })
  // postgres.js has it, its types do not know it.
  return (told as { readonly state?: { readonly pid?: number } }).state?.pid !== Number(actual?.process)
}
