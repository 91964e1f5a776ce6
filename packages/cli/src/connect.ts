import {
  type Client,
  type ClientOptions,
  createClient,
  isPubSubError,
  type Logger,
  standardErrorLogger,
} from '@ps/core'
import { CommandError, patience } from './usage.js'

/** A client for one command. Warnings are held back until it works, so that a failure is one line. */
export interface Connection {
  readonly client: Client
  /** To be called when a broker has answered: lets the warnings out. */
  answered(): void
  /** The error that says which broker did not answer, and why. */
  unreachable(): Promise<CommandError>
}

export async function connect({
  verbose,
  ...options
}: ClientOptions & { verbose: boolean }): Promise<Connection> {
  let warnings: string[] | undefined = []
  const log: Logger = verbose
    ? standardErrorLogger
    : {
        info: () => {},
        warn(line) {
          if (warnings === undefined) standardErrorLogger.warn(line)
          else warnings.push(line)
        },
        // What goes wrong is the command's own last line.
        error: () => {},
      }
  const client = await createClient({
    acrossProcesses: true,
    publishTimeout: patience,
    closeTimeout: 2_000,
    ...options,
    log,
  })
  return {
    client,
    answered() {
      const held = warnings ?? []
      warnings = undefined
      for (const line of held) log.warn(line)
    },
    async unreachable() {
      const { backends } = await client.health()
      const reasons = backends.map(({ name, reason }) => `${name}: ${reason ?? 'no answer'}`).join('; ')
      const variables = backends
        .map(({ name }) => (name === 'redis' ? 'REDIS_URL' : 'DATABASE_URL'))
        .join(' or ')
      return new CommandError(
        `no broker answered within ${patience / 1_000} s (${reasons}): start it, or correct ${variables}`,
      )
    },
  }
}

/** Runs `work` with a client that is closed afterwards in any case. */
export async function withConnection<Result>(
  options: ClientOptions & { verbose: boolean },
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await connect(options)
  try {
    return await work(connection)
  } finally {
    await connection.client.close()
  }
}

/** Listens, but waits no longer than the command's patience for a broker. */
export async function listenPatiently(
  { client, answered, unreachable }: Connection,
  channel: string,
  callback: (message: unknown) => void,
  onGap?: (reason: string) => void,
): Promise<void> {
  const stop = new AbortController()
  let late = false
  const timer = setTimeout(() => {
    late = true
    stop.abort()
  }, patience)
  try {
    await client.listen(channel, callback, { signal: stop.signal, onGap: ({ reason }) => onGap?.(reason) })
  } catch (error) {
    throw late && !isPubSubError(error) ? await unreachable() : error
  } finally {
    clearTimeout(timer)
  }
  answered()
}
