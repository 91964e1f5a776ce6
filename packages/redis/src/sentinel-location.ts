import { setTimeout as sleep } from 'node:timers/promises'
import { PubSubError } from '@ps/core'
import { askSeveral } from './ask-several.js'
import { type Address, addressOf } from './cluster-map.js'
import { type Connection, openConnection } from './connection.js'
import type { ConnectionTarget } from './connection-url.js'
import { connectionFailure } from './failures.js'
import { readSentinelUrl } from './sentinel-url.js'
import type { ServerLocation } from './server-backend.js'

const backend = 'redis'
/** How often the sentinels are asked whether the master is still the one, in milliseconds. */
const watchMilliseconds = 1_000

/** Whom a sentinel names. */
interface Named {
  readonly host: string
  readonly port: number
  /** Grows with every failover; of two that are named the one with the higher is newer. */
  readonly epoch: number
}

/**
 * The master that sentinels name: asked for before every attempt to connect, and while connected. The newest of their answers
 * counts, and the server itself must say that it is a master.
 *
 * Throws where the URL is unusable.
 */
export function createSentinelLocation(url: string): ServerLocation {
  const { sentinels, master, name } = readSentinelUrl(url)
  // Each is kept, since it is asked again and again.
  const connections = new Map<Address, Promise<Connection>>()
  let asking: Promise<Named> | undefined
  let newestEpoch = 0

  const reach = async (sentinel: ConnectionTarget, signal: AbortSignal): Promise<Connection> => {
    const address = addressOf(sentinel)
    const kept = connections.get(address)
    if (kept !== undefined) return kept
    const opening = openConnection({
      target: sentinel,
      name: '@ps/redis:sentinel',
      signal,
      onLost: () => void connections.delete(address),
    })
    connections.set(address, opening)
    opening.catch(() => connections.delete(address))
    return opening
  }

  const askOne = async (sentinel: ConnectionTarget, signal: AbortSignal): Promise<Named> => {
    const connection = await reach(sentinel, signal)
    const call = (...parts: readonly string[]): Promise<unknown> => connection.call('SENTINEL', ...parts)
    const [named, known] = await Promise.all([
      call('GET-MASTER-ADDR-BY-NAME', name),
      // Whom it does not know, or may not tell of, it refuses; who is newer is not known then.
      call('MASTER', name).catch(() => []),
    ]).catch((error: unknown) => {
      throw notASentinel(connectionFailure(error, sentinel), sentinel)
    })
    if (Array.isArray(named)) {
      const [host, port] = named.map(String)
      return { host: host ?? '', port: Number(port), epoch: epochOf(known) }
    }
    const others = namesOf(await call('MASTERS').catch(() => []))
    const knows = others.length === 0 ? 'none' : others.map((other) => JSON.stringify(other)).join(', ')
    throw new PubSubError(
      'configuration',
      `the sentinel at ${addressOf(sentinel)} knows no master ${JSON.stringify(name)} (it knows ${knows}); end the URL with /name, the name that stands in its "sentinel monitor"`,
      { backend },
    )
  }

  const ask = (signal: AbortSignal): Promise<Named> => {
    const askAll = async (): Promise<Named> => {
      try {
        const answers = await askSeveral(
          sentinels.map((sentinel) => askOne(sentinel, signal)),
          'no sentinel',
        )
        return answers.reduce((newest, named) => (named.epoch > newest.epoch ? named : newest))
      } finally {
        asking = undefined
      }
    }
    // Who publishes and who listens ask at the same time, and are to be told the same.
    return (asking ??= askAll())
  }

  return {
    target: sentinels[0],

    async locate(signal) {
      const { host, port, epoch } = await ask(signal)
      newestEpoch = epoch
      return { ...master, host, port }
    },

    async verify(connection, target) {
      try {
        const role = await connection.call('ROLE')
        const is = Array.isArray(role) ? String(role[0]) : String(role)
        // Until its sentinels have noticed, a master that was replaced takes messages that nobody hears.
        if (is !== 'master') connection.lose(new Error(`it is no master but a ${is}`))
      } catch (error) {
        connection.lose(connectionFailure(error, target))
      }
    },

    async watch(connection, target, signal) {
      const ending = new AbortController()
      void connection.ended.then(() => ending.abort())
      while (connection.lost === undefined) {
        await sleep(watchMilliseconds, undefined, { signal: ending.signal }).catch(() => {})
        if (connection.lost !== undefined) return
        // Where no sentinel answers, the master that is at hand is the best there is.
        const named = await ask(signal).catch(() => undefined)
        // One that was cut off from the others may name the master of before.
        if (named === undefined || named.epoch < newestEpoch || addressOf(named) === addressOf(target))
          continue
        connection.lose(new Error(`the sentinels name another master, ${addressOf(named)}`))
      }
    },
  }
}

const pairsOf = (reply: unknown): Record<string, string> => {
  const parts = Array.isArray(reply) ? reply.map(String) : []
  return Object.fromEntries(
    parts.flatMap((key, index) => (index % 2 === 0 ? [[key, parts[index + 1] ?? '']] : [])),
  )
}

const epochOf = (reply: unknown): number => Number(pairsOf(reply)['config-epoch'] ?? 0)

const namesOf = (reply: unknown): string[] =>
  (Array.isArray(reply) ? reply : []).flatMap((one) => pairsOf(one)['name'] ?? [])

const notASentinel = (failure: PubSubError, { host, port }: ConnectionTarget): PubSubError =>
  /unknown command/i.test(failure.message)
    ? new PubSubError(
        'configuration',
        `Redis at ${addressOf({ host, port })} is no sentinel; the URL of a server begins with redis:// or rediss://`,
        { backend, cause: failure },
      )
    : failure
