/** Where the client and its backends write. `pino`, `console` and most loggers fit as they are. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
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

/** Writes nothing. */
export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} }
