import type { Connection } from './connection.js'
import { isRefusal } from './failures.js'

/** Whether a NOTIFY was refused because the server's notification queue is full. */
export const isQueueFull = (error: unknown): boolean => isRefusal(error) && error.code === '54000'

/**
 * Makes the server look for room in its notification queue. Else only a NOTIFY that succeeds does that, so that a queue that
 * was full once stays full to everybody, whatever has been read since; asking how full it is, is the other way.
 */
export async function findRoom(connection: Connection): Promise<void> {
  // Where that is not permitted, or the connection is lost, there is nothing to be done.
  await connection.query((sql) => sql`select pg_notification_queue_usage()`).catch(() => {})
}
