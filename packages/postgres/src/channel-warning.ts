import type { Logger } from '@ps/core'
import type { Connection } from './connection.js'

/**
 * Where a server before PostgreSQL 19 begins to slow down: it looks through all channels of a session for each
 * notification (18.4, one listening session: 372,000 messages a second at 1,000 channels, 309,000 at 2,000, 188,000 at
 * 5,000, 101,000 at 10,000).
 */
const manyChannels = 2_000

/** Warns, once, where a session listens to more channels than its server copes with well. */
export function createChannelWarning(log: Logger): (channels: number, connection: Connection) => void {
  let asked = false

  const warn = async (connection: Connection): Promise<void> => {
    const [server] = await connection.query((sql) =>
      sql<{ version: string }[]>`select current_setting('server_version_num') as version`.simple(),
    )
    if (server === undefined || Number(server.version) >= 190_000) return
    log.warn(
      `${connection.where}: more than ${manyChannels} channels are listened to, and before version 19 PostgreSQL looks ` +
        'through all of them for each notification: use fewer channels and tell messages apart by a field, spread the ' +
        'channels over several processes, or use PostgreSQL 19',
    )
  }

  return (channels, connection) => {
    if (asked || channels <= manyChannels) return
    asked = true
    warn(connection).catch(() => {
      // The connection is lost; the next one asks again.
      asked = false
    })
  }
}
