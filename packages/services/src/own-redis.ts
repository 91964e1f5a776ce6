import { RedisUnavailable, startRedis } from './redis.js'
import type { RedisServer } from './redis-server.js'

/** The Redis of `pnpm start`. */
export interface OwnRedis {
  readonly url: string
  stop(): Promise<void>
}

/**
 * Starts a Redis that may be killed, to see how the work goes on without it: SIGUSR2 to this process starts it again.
 * Where none can be had the reason is printed.
 */
export async function startOwnRedis(print: (line: string) => void): Promise<OwnRedis | undefined> {
  const server = await startUnlessUnavailable(print)
  if (server === undefined) return undefined
  const tell = (): void =>
    print(
      `redis is process ${server.processId}: end it and the work goes on without it; kill -USR2 ${process.pid} starts it again`,
    )
  const complain = (error: unknown): void =>
    print(`redis did not start again: ${error instanceof Error ? error.message : String(error)}`)
  // One after another, because two at once would leave one of two servers to nobody.
  let turn = Promise.resolve()
  const restart = (): void => {
    turn = turn.then(server.restart).then(tell, complain)
  }
  process.on('SIGUSR2', restart)
  tell()
  return {
    url: server.url,
    async stop() {
      process.off('SIGUSR2', restart)
      await turn
      await server.stop()
    },
  }
}

async function startUnlessUnavailable(print: (line: string) => void): Promise<RedisServer | undefined> {
  try {
    return await startRedis()
  } catch (error) {
    if (!(error instanceof RedisUnavailable)) throw error
    print(`no redis was started: ${error.message}`)
    return undefined
  }
}
