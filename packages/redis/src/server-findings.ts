import type { Finding } from '@ps/core'
import type { Connection } from './connection.js'

/** The oldest that its makers still mend. */
const oldestVersion = 7
/** The first with sharded channels. */
const firstSharded = 7
const almostAll = 0.9

const text = (reply: unknown): string => (typeof reply === 'string' ? reply : '')
const mebibytes = (bytes: number): string => `${Number((bytes / 1_024 / 1_024).toFixed(2))} MiB`

/** What a server says of itself, or `undefined` where its user may not ask. */
const ask = async (connection: Connection, ...command: string[]): Promise<unknown> =>
  connection.call(...command).catch((error: unknown) => {
    if (connection.lost !== undefined) throw error
    return undefined
  })

export interface ExaminedServer {
  readonly connection: Connection
  /** For messages. */
  readonly where: string
  readonly maxMessageBytes: number
  /** As the URL says. */
  readonly kind: 'server' | 'master' | 'node'
}

/** What holds for one server: its version and kind, its part in replication, and its limits. */
export async function* examineServer(server: ExaminedServer): AsyncGenerator<Finding> {
  const { connection, where, kind } = server
  const info = text(await ask(connection, 'INFO'))
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]
  const version = field('valkey_version') ?? field('redis_version')
  const product = field('valkey_version') === undefined ? 'Redis' : 'Valkey'
  const about = `${where}: ${product} ${version ?? 'of a version that its user may not ask for (INFO)'}`
  const major = Number.parseInt(field('redis_version') ?? '', 10)
  if (kind === 'node' && major < firstSharded) {
    yield {
      code: 'server_version',
      severity: 'problem',
      message: `${about}, which has no sharded channels`,
      fix: 'upgrade the cluster to version 7, or let REDIS_URL name one node with redis://',
      version,
    }
  } else if (major < oldestVersion) {
    yield {
      code: 'server_version',
      severity: 'warning',
      message: `${about}; before version ${oldestVersion} nobody mends it any more`,
      fix: 'upgrade it',
      version,
    }
  } else yield { code: 'server_version', severity: 'ok', message: about, version }

  yield* examineKind(server, field('redis_mode'))
  if (kind === 'server') yield* examineReplication(connection, where, field('role'), field)
  yield* examineLimits(server)

  const [taken, places] = [Number(field('connected_clients')), Number(field('maxclients'))]
  if (taken >= 0 && places > 0) {
    const message = `${where}: ${taken} of ${places} connections are taken`
    yield taken >= places * almostAll
      ? {
          code: 'connections',
          severity: 'warning',
          message,
          fix: 'raise maxclients, or end others; a client that finds none is down until it does',
        }
      : { code: 'connections', severity: 'ok', message }
  }
}

function* examineKind({ where, kind }: ExaminedServer, mode: string | undefined): Generator<Finding> {
  if (mode === 'sentinel' && kind === 'server') {
    yield {
      code: 'other_kind',
      severity: 'problem',
      message: `${where} is a sentinel: what is published there reaches nobody who listens to its master`,
      fix: 'write REDIS_URL as redis+sentinel://host:26379,host:26379/master-name',
    }
  }
  if (mode === 'cluster' && kind === 'server') {
    yield {
      code: 'cluster_node',
      severity: 'warning',
      message: `${where} is a node of a cluster: every message goes to all nodes, and clients with redis+cluster:// neither hear it nor are heard`,
      fix: 'write REDIS_URL as redis+cluster://host:port,host:port, everywhere at once',
    }
  }
}

async function* examineReplication(
  connection: Connection,
  where: string,
  known: string | undefined,
  field: (name: string) => string | undefined,
): AsyncGenerator<Finding> {
  // Its user may be allowed the one and not the other.
  const reply = known === undefined ? await ask(connection, 'ROLE') : undefined
  const role = known ?? (Array.isArray(reply) ? text(reply[0]) : undefined)
  if (role !== 'slave') return
  const [host, port] = Array.isArray(reply)
    ? [String(reply[1]), String(reply[2])]
    : [field('master_host') ?? '', field('master_port') ?? '']
  yield {
    code: 'replica',
    severity: 'problem',
    message: `${where} is a replica of ${host}:${port}: what is published on it is heard on it alone, not by those who listen on the master`,
    fix: `let REDIS_URL lead to the master, ${host}:${port}, or name the sentinels with redis+sentinel://`,
  }
}

/** What the server holds back for a subscriber that reads slowly, and the longest message. */
async function* examineLimits({
  connection,
  where,
  maxMessageBytes,
}: ExaminedServer): AsyncGenerator<Finding> {
  const code = 'output_buffer_limit'
  const setting = async (name: string): Promise<string | undefined> => {
    const reply = await ask(connection, 'CONFIG', 'GET', name)
    const pairs = reply instanceof Map ? [...reply].flat() : Array.isArray(reply) ? reply.flat() : []
    return pairs[0] === name ? String(pairs[1]) : undefined
  }
  const limits = await setting('client-output-buffer-limit')
  const [, hard, soft, seconds] = (/pubsub (\d+) (\d+) (\d+)/.exec(limits ?? '') ?? []).map(Number)
  if (hard === undefined || soft === undefined || seconds === undefined) {
    yield {
      code,
      severity: 'ok',
      message: `${where}: its limits for slow subscribers are not known, since the user may not CONFIG GET (most hosted servers forbid it); unless changed they are 32 MiB, or 8 MiB for 60 s`,
    }
    return
  }
  const parts = [
    ...(hard > 0 ? [`more than ${mebibytes(hard)} behind`] : []),
    ...(soft > 0 ? [`more than ${mebibytes(soft)} behind for ${seconds} s`] : []),
  ]
  const message =
    parts.length === 0
      ? `${where} keeps any amount for a slow subscriber, until its memory ends (client-output-buffer-limit pubsub ${hard} ${soft} ${seconds})`
      : `${where} cuts a subscriber off that is ${parts.join(', or ')} (client-output-buffer-limit pubsub); the client tells it as a gap and connects again`
  const fix = 'CONFIG SET client-output-buffer-limit "pubsub 32mb 8mb 60"'
  if (hard > 0 && hard <= maxMessageBytes) {
    yield {
      code,
      severity: 'problem',
      message: `${message}; one message may have ${mebibytes(maxMessageBytes)} (PUBSUB_MAX_MESSAGE_BYTES)`,
      fix,
    }
  } else if (parts.length === 0 || (hard > 0 && hard < 8 * maxMessageBytes)) {
    yield { code, severity: 'warning', message, fix }
  } else yield { code, severity: 'ok', message }

  const longest = Number(await setting('proto-max-bulk-len'))
  if (longest < maxMessageBytes) {
    yield {
      code: 'message_size',
      severity: 'problem',
      message: `${where} takes messages up to ${mebibytes(longest)} (proto-max-bulk-len), and a client sends up to ${mebibytes(maxMessageBytes)}`,
      fix: 'raise proto-max-bulk-len, or lower PUBSUB_MAX_MESSAGE_BYTES',
    }
  }
}
