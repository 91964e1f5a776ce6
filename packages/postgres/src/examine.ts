import { describeError, type ExamineOptions, type Finding, silentLogger } from '@ps/core'
import type { Connection, ConnectionUse } from './connection.js'
import { hearingFinding } from './hearing-finding.js'
import { reach } from './reach.js'
import { createSelfTest } from './self-test.js'
import { examineQueue, examineServer } from './server-findings.js'

/** Examines a PostgreSQL, as the contract of `BackendModule` says. */
export async function* examine({ url, listenUrl }: ExamineOptions): AsyncGenerator<Finding> {
  const stopping = new AbortController()
  const selfTest = createSelfTest('the notification was lost on its way')
  const opened: Connection[] = []
  const use = { prepare: false, log: silentLogger, signal: stopping.signal, onLost: selfTest.fail }
  const listeningUse = {
    ...use,
    onNotification(channel: string, payload: string) {
      if (channel === selfTest.channel) selfTest.hear(payload)
    },
  }
  const told = new Set<string>()
  async function* connect(
    given: string,
    variable: string,
    how: ConnectionUse,
  ): AsyncGenerator<Finding, Connection | undefined> {
    const steps = reach(given, variable, how)
    for (;;) {
      const { done, value } = await steps.next()
      if (done) {
        if (value !== undefined) opened.push(value)
        return value
      }
      // The second connection meets what the first has met.
      if (!told.has(value.message)) yield value
      told.add(value.message)
    }
  }

  try {
    const publishing = yield* connect(url, 'DATABASE_URL', use)
    // Without an address of its own it would fail in the same way.
    if (publishing === undefined && listenUrl === undefined) return
    const listening = yield* connect(
      listenUrl ?? url,
      listenUrl === undefined ? 'DATABASE_URL' : 'PUBSUB_LISTEN_URL',
      listeningUse,
    )
    if (publishing !== undefined) {
      yield* examineServer(publishing)
      yield* examineQueue(publishing)
      if (listening !== undefined)
        yield await hearingFinding(publishing, listening, selfTest, listenUrl !== undefined)
    }
  } catch (error) {
    yield {
      code: 'examination_failed',
      severity: 'problem',
      message: describeError(error),
      fix: 'run it again; where it happens again, look into the log of the server',
    }
  } finally {
    await Promise.all(opened.map((connection) => connection.end()))
    stopping.abort()
  }
}
