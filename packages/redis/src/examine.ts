import { isIP } from 'node:net'
import { type ExamineOptions, type Finding } from '@ps/core'
import { addressOf, readClusterMap } from './cluster-map.js'
import { connectFinding } from './connect-finding.js'
import { type CommandConnection, openConnection, openListening } from './connection.js'
import { type ConnectionTarget, parseConnectionUrl } from './connection-url.js'
import { examinePermissions } from './permission-findings.js'
import { createSentinelLocation } from './sentinel-location.js'
import { readSentinelUrl } from './sentinel-url.js'
import { type ExaminedServer, examineServer } from './server-findings.js'
import { parseServerListUrl } from './server-list-url.js'

const name = '@ps/redis:examine'
const clusterForm = 'redis+cluster://user:password@host:6379,host:6379'
const defaultMaxMessageBytes = 1_024 * 1_024

/** Examines a Redis, as the contract of `BackendModule` says. */
export async function* examine(options: ExamineOptions): AsyncGenerator<Finding> {
  const stopping = new AbortController()
  try {
    if (/^rediss?\+cluster:/i.test(options.url)) yield* examineCluster(options, stopping.signal)
    else if (/^rediss?\+sentinel:/i.test(options.url)) yield* examineSentinels(options, stopping.signal)
    else yield* examineOne(options, stopping.signal)
  } catch (error) {
    yield connectFinding(error)
  } finally {
    stopping.abort()
  }
}

const onLost = (): void => {}

async function* examineOne(options: ExamineOptions, signal: AbortSignal): AsyncGenerator<Finding> {
  const { url, prefix } = options
  const target = parseConnectionUrl(url)
  yield* examineParameters(target)
  const database = Number(new URL(url).pathname.slice(1))
  if (database > 0 && prefix === '') {
    yield {
      code: 'database_number',
      severity: 'warning',
      message: `REDIS_URL ends in database ${database}, which means nothing to channels: who uses another number of the same server hears the same messages`,
      fix: 'set PUBSUB_PREFIX, to another text in each environment, where they share a server',
    }
  }
  yield* examineEncryption(target)
  yield* examineServerAt(target, 'server', options, signal)
}

async function* examineServerAt(
  target: ConnectionTarget,
  kind: ExaminedServer['kind'],
  { maxMessageBytes = defaultMaxMessageBytes, channels }: ExamineOptions,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const connection = await openConnection({ target, name, signal, onLost })
  yield* examineServer({ connection, where: `Redis at ${addressOf(target)}`, maxMessageBytes, kind })
  // Sharded channels belong each to a node of its own.
  if (kind === 'node') return
  const listening = await openListening({ target, name, signal, onLost, onMessage: onLost })
  yield* examinePermissions(connection, listening, { channels, username: target.username })
}

async function* examineSentinels(options: ExamineOptions, signal: AbortSignal): AsyncGenerator<Finding> {
  const { sentinels, master, name: masterName } = readSentinelUrl(options.url)
  yield* examineParameters(master)
  const reached = yield* reachAll(sentinels, signal)
  if (reached.length === 0) return
  const target = await createSentinelLocation(options.url).locate(signal)
  yield {
    code: 'sentinels',
    severity: 'ok',
    message: `${reached.length} of ${sentinels.length} sentinels answer; the master ${JSON.stringify(masterName)} is ${addressOf(target)}`,
  }
  yield* examineEncryption(target)
  yield* examineServerAt(target, 'master', options, signal)
}

async function* examineCluster(options: ExamineOptions, signal: AbortSignal): AsyncGenerator<Finding> {
  const { servers } = parseServerListUrl(options.url, { form: clusterForm, defaultPort: 6_379 })
  yield* examineParameters(servers[0])
  yield* examineEncryption(servers[0])
  const [first] = yield* reachAll(servers, signal)
  if (first === undefined) return
  const { masters, nodes, owners } = await readClusterMap(first.connection, first.target)
  const orphans = owners.filter((owner) => owner === undefined).length
  // It may be told to serve the others all the same, and calls itself well then (cluster-require-full-coverage).
  if (orphans > 0) throw new Error(`the cluster does not serve ${orphans} of its ${owners.length} slots`)
  yield {
    code: 'cluster',
    severity: 'ok',
    message: `the cluster has ${masters.size} masters and ${nodes.size - masters.size} replicas`,
  }
  for (const target of masters.values()) yield* examineServerAt(target, 'node', options, signal)
}

interface Reached {
  readonly connection: CommandConnection
  readonly target: ConnectionTarget
}

/** Connects to each, and says of which that is not possible: a problem where it is of none. */
async function* reachAll(
  targets: readonly ConnectionTarget[],
  signal: AbortSignal,
): AsyncGenerator<Finding, readonly Reached[]> {
  const attempts = await Promise.all(
    targets.map(async (target) => {
      try {
        return { connection: await openConnection({ target, name, signal, onLost }), target }
      } catch (error) {
        return connectFinding(error)
      }
    }),
  )
  const reached = attempts.filter((attempt): attempt is Reached => 'connection' in attempt)
  for (const attempt of attempts) {
    if (!('connection' in attempt)) yield reached.length === 0 ? attempt : { ...attempt, severity: 'warning' }
  }
  return reached
}

function* examineParameters({ unknownParameters }: ConnectionTarget): Generator<Finding> {
  if (unknownParameters.length === 0) return
  yield {
    code: 'url_parameter',
    severity: 'warning',
    message: `REDIS_URL has parameters that are not known and are ignored: ${unknownParameters.join(', ')}`,
    fix: 'leave them out; the user and the password stand before the host, and characters like / ? # @ : & in them are percent-encoded',
  }
}

const isLocal = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

function* examineEncryption({ host, tls }: ConnectionTarget): Generator<Finding> {
  if (isLocal(host)) return
  yield tls === undefined
    ? {
        code: 'encryption',
        severity: 'warning',
        message: `the way to ${host} is not encrypted; the password and all messages can be read on it`,
        fix: 'where others share the network, let REDIS_URL begin with rediss',
      }
    : {
        code: 'encryption',
        severity: 'ok',
        message: `the way to ${host} is encrypted, and its certificate checked`,
      }
}
