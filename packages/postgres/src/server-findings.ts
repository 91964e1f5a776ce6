import type { Finding } from '@ps/core'
import type { Connection } from './connection.js'

/** The oldest that its makers still mend. */
const oldestVersion = 14
/** From here on PostgreSQL itself warns; publishing ends where it is full. */
const halfFull = 0.5
const worthALook = 0.05
/** Of the connections that the server takes. */
const almostAll = 0.9

type Row = Readonly<Record<string, string | number | null>>

/** What holds for the server as a whole, asked on any session. */
export async function* examineServer(connection: Connection): AsyncGenerator<Finding> {
  const [facts] = await connection.query((sql) =>
    sql<Row[]>`
      select current_setting('server_version') as version, current_setting('server_version_num') as number,
        current_database() as database, current_user as role, current_setting('server_encoding') as encoding,
        current_setting('max_connections') as places,
        (select sum(numbackends) from pg_stat_database) as taken,
        has_function_privilege('pg_notify(text, text)', 'execute')::text as may_notify
    `.simple(),
  )
  const fact = (name: string): string => String(facts?.[name] ?? '')
  const [version = ''] = fact('version').split(' ')
  const about = `${connection.where}: version ${version}, database ${JSON.stringify(fact('database'))}, user ${JSON.stringify(fact('role'))}, encoding ${fact('encoding')}`
  if (Number(fact('number')) < oldestVersion * 10_000) {
    yield {
      code: 'server_version',
      severity: 'warning',
      message: `${about}; before version ${oldestVersion} nobody mends it any more`,
      fix: 'upgrade it; nothing older is tried with this program',
      version,
    }
  } else yield { code: 'server_version', severity: 'ok', message: about, version }

  if (fact('may_notify') !== 'true') {
    yield {
      code: 'not_permitted',
      severity: 'problem',
      message: `the user ${JSON.stringify(fact('role'))} may not call pg_notify(), and so not publish`,
      fix: `grant execute on function pg_notify(text, text) to "${fact('role')}"`,
    }
  }
  const [taken, places] = [Number(fact('taken')), Number(fact('places'))]
  const connections = `${taken} of ${places} connections are taken`
  yield taken >= places * almostAll
    ? {
        code: 'connections',
        severity: 'warning',
        message: connections,
        fix: 'raise max_connections, or end others; a client that finds none is down until it does',
      }
    : { code: 'connections', severity: 'ok', message: connections }
}

/** How full the notification queue is, which all databases of the server share, and who may be the cause. */
export async function* examineQueue(connection: Connection): AsyncGenerator<Finding> {
  const [queue] = await connection.query((sql) =>
    sql<{ usage: number }[]>`select pg_notification_queue_usage() as usage`.simple(),
  )
  const usage = queue?.usage ?? 0
  const message = `the notification queue is ${(usage * 100).toFixed(1)} % full`
  if (usage < worthALook) {
    yield { code: 'notification_queue', severity: 'ok', message }
    return
  }
  // Only a session that listens holds it up, and which do, no other session can see. It is one whose transaction is open.
  const sessions = await connection.query((sql) =>
    sql<Row[]>`
      select pid, usename, datname, application_name, state, extract(epoch from now() - xact_start)::int as seconds
      from pg_stat_activity
      where xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend'
      order by state like 'idle in transaction%' desc, xact_start limit 3
    `.simple(),
  )
  const described = sessions.map(
    ({ pid, usename, datname, application_name, state, seconds }) =>
      `process ${String(pid)} (${JSON.stringify(application_name)}, user ${JSON.stringify(usename)}, database ${JSON.stringify(datname)}), ${String(state)} for ${String(seconds)} s`,
  )
  const [first] = sessions
  yield {
    code: 'notification_queue',
    severity: usage >= halfFull ? 'problem' : 'warning',
    message:
      described.length === 0
        ? `${message}, and no session with an open transaction can be seen by this user`
        : `${message}; a session that listens and stays in a transaction holds it up, most likely ${described.join(', or ')}`,
    fix:
      first === undefined
        ? 'ask as a user with the role pg_read_all_stats, or read the log of the server: from half full on it names the process; end that one. When it is full, nothing can be published'
        : `end it: select pg_terminate_backend(${String(first['pid'])}); and set idle_in_transaction_session_timeout. When the queue is full, nothing can be published`,
  }
}
