import type { Connection } from './connection.js'

/** So many channels are listened to in well under the time after which a server counts as mute. */
const maxStatements = 1_000

/** Runs statements in order on one connection. */
export interface StatementQueue {
  /** Resolves when the statement is committed. Rejects when the connection is lost; a refusal loses it. */
  run(statement: string): Promise<void>
}

interface Waiting {
  readonly statement: string
  readonly resolve: () => void
  readonly reject: (cause: Error) => void
}

/** Statements that are asked for together, or while others run, share a round trip and a transaction. */
export function createStatementQueue(connection: Connection): StatementQueue {
  const waiting: Waiting[] = []
  let pumping = false

  const pump = async (): Promise<void> => {
    pumping = true
    // The rest of a burst of calls belongs into the first round trip.
    await Promise.resolve()
    while (waiting.length > 0) {
      const group = waiting.splice(0, maxStatements)
      try {
        await connection.query((sql) => sql.unsafe(group.map(({ statement }) => statement).join(';')))
        for (const { resolve } of group) resolve()
      } catch (error) {
        const cause = error instanceof Error ? error : new Error(String(error))
        connection.lose(cause)
        for (const { reject } of group) reject(cause)
      }
    }
    pumping = false
  }

  return {
    run(statement) {
      return new Promise((resolve, reject) => {
        waiting.push({ statement, resolve, reject })
        if (!pumping) void pump()
      })
    },
  }
}
