/** Where the client and its backends write. `pino`, `console` and most loggers fit as they are. */
export interface Logger {
  /** The start, and what has become well again. */
  info(message: string): void
  /** What the client copes with. */
  warn(message: string): void
  /** What is lost, or what somebody has to mend. */
  error(message: string): void
}

const write = (level: string, message: string): void => {
  process.stderr.write(`[pubsub] ${level}${message}\n`)
}

/** One line an event on standard error. */
export const standardErrorLogger: Logger = {
  info: (message) => write('', message),
  warn: (message) => write('warning: ', message),
  error: (message) => write('error: ', message),
}

/**
 * A logger of a user that may throw, made one that does not: a line is written in the middle of the client's work, and of a
 * backend's, where an exception would cost the connection.
 */
export function guardLogger(log: Logger): Logger {
  const guard =
    (level: keyof Logger) =>
    (message: string): void => {
      try {
        log[level](message)
      } catch (error) {
        standardErrorLogger.error(`the logger failed (${String(error)}): ${message}`)
      }
    }
  return { info: guard('info'), warn: guard('warn'), error: guard('error') }
}

/** Writes nothing. */
export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} }
