import {
  type Backend,
  type BackendOptions,
  createInbox,
  describeError,
  isPubSubError,
  PubSubError,
  silentLogger,
} from '@ps/core'
import { type Address, addressOf, readMoved } from './cluster-map.js'
import { type ClusterNode, createClusterNode } from './cluster-node.js'
import { createClusterPublisher } from './cluster-publisher.js'
import { createClusterSubscriptions } from './cluster-subscriptions.js'
import { type ClusterTopology, createClusterTopology } from './cluster-topology.js'
import { type ConnectionTarget, unusable } from './connection-url.js'
import { connectionFailure, isForbidden, publishFailure } from './failures.js'
import { asUnavailable, createLifecycle } from './lifecycle.js'
import { parseServerListUrl } from './server-list-url.js'

const backend = 'redis'
/** The whole of the cluster, beside the addresses of its nodes. */
const map = Symbol('map')
const form = 'redis+cluster://user:password@host:6379,host:6379'
/** So many views of the cluster in a row that do not mend what is amiss are told. */
const patience = 5
/** So long a gap waits for all else to be well, so that what comes together is told as one, in milliseconds. */
const graceMilliseconds = 1_000

/**
 * A backend of a Redis Cluster, over sharded publish and subscribe: a channel belongs to a slot, and all of it happens on the
 * node that serves the slot.
 *
 * It is `ready` while every slot has a master, every master's connections are up and every wanted channel is confirmed. A slot
 * that moves between masters that are up is a gap and no more.
 */
export function createClusterBackend({ url, log = silentLogger }: BackendOptions): Backend {
  const life = createLifecycle()
  const { signal } = life
  let topology: ClusterTopology | undefined
  // Channels that were live and whose gap has not been told.
  const interrupted = new Set<string>()
  let interruption = ''
  let vainAttempts = 0
  let late: NodeJS.Timeout | undefined

  const nodeOf = (slot: number): ClusterNode | undefined => topology?.nodeOf(slot)

  const tell = (channel: string, payload: string): void => {
    try {
      life.events?.message(channel, payload)
    } catch (error) {
      // What escapes from here would be taken for something that no server says.
      log.error(`a handler failed: ${describeError(error)}`)
    }
  }
  const inbox = createInbox(tell)

  const receive = (channel: string, payload: string | undefined): void => {
    if (!subscriptions.isWanted(channel)) return
    if (payload === undefined) {
      const cause = new PubSubError('invalid_payload', 'it is not UTF-8', { backend, channel })
      life.events?.invalid(channel, cause)
    } else if (interrupted.has(channel)) {
      inbox.message(channel, payload)
    } else {
      // Nothing is missing where the channel stayed live: it waits for no other.
      tell(channel, payload)
    }
  }

  // What is amiss, by whom it concerns, the oldest first. One of them is told; three nodes that are away by turns are no news.
  const problems = new Map<Address | typeof map, PubSubError>()
  let told: Address | typeof map | undefined

  const down = (who: Address | typeof map, given: unknown): void => {
    const cause = asUnavailable(given)
    const before = problems.get(who)
    problems.set(who, cause)
    if (!life.ready && told !== undefined && told !== who && problems.has(told)) return
    // Other nodes are asked each time, and say the same in other words.
    if (!life.ready && told === who && who === map && before?.code === cause.code) return
    told = who
    life.down(cause)
    publisher.refuse(life.notSent)
  }

  const tellGap = (): void => {
    clearTimeout(late)
    late = undefined
    if (signal.aborted || interrupted.size === 0 || !subscriptions.restored) return
    life.events?.gap(interruption)
    interrupted.clear()
    inbox.release(subscriptions.isWanted)
  }

  const isWhole = (): boolean =>
    topology !== undefined &&
    !problems.has(map) &&
    topology.complete &&
    subscriptions.complete &&
    Array.from(topology.nodes.values()).every((node) => node.connected)

  /** Tells what holds now: of a gap, and of being ready. */
  const settle = (): void => {
    if (signal.aborted) return
    if (subscriptions.restored) vainAttempts = 0
    const whole = life.ready || isWhole()
    if (whole) tellGap()
    // What is live again does not wait for a shard that stays away.
    else if (interrupted.size > 0 && subscriptions.restored) late ??= setTimeout(tellGap, graceMilliseconds)
    if (life.ready || !whole) return
    problems.clear()
    told = undefined
    life.up()
  }

  const refused = (error: Error, node: ClusterNode): void => {
    if (isForbidden(error)) return
    const moved = readMoved(error, node.target)
    if (moved !== undefined) topology?.move(moved.slot, moved.target)
    topology?.refresh()
  }

  const publisher = createClusterPublisher({ nodeOf, isReady: () => life.ready, onRefused: refused })
  const subscriptions = createClusterSubscriptions({
    nodeOf,
    onInterrupted(channel) {
      interrupted.add(channel)
      // Nothing that came before this interruption may be told after a gap that comes after it.
      inbox.hold()
    },
    onConfirmed: settle,
    onRefused: refused,
  })

  const createNode = (target: ConnectionTarget): ClusterNode => {
    const address = addressOf(target)
    const node = createClusterNode({
      target,
      signal,
      onMessage: receive,
      onConnected() {
        if (node.connected) problems.delete(address)
        subscriptions.reconcile()
        publisher.pump()
        settle()
      },
      onMoved(connection, channel) {
        interruption = 'a channel has moved to another node'
        subscriptions.moved(connection, channel)
        topology?.refresh()
      },
      onLost(connection, cause, hasLeft) {
        interruption = `a connection that listens was lost: ${describeError(cause)}`
        subscriptions.lost(connection)
        if (hasLeft) problems.delete(address)
        else down(address, cause)
        topology?.refresh()
      },
      onFailure: (error) => down(address, error),
    })
    return node
  }

  return {
    name: backend,

    async start(events) {
      const { servers, path } = parseServerListUrl(url, { form, defaultPort: 6379 })
      if (!/^0?$/.test(path)) throw unusable(`a cluster has no databases; it is of the form ${form}`)
      const [seed] = servers
      for (const parameter of seed.unknownParameters)
        log.warn(`the parameter ${parameter} of the Redis URL is not known and is ignored`)
      const made = createClusterTopology({
        seeds: servers,
        signal,
        createNode,
        isCalm: () => life.ready && subscriptions.complete,
        onMap() {
          problems.delete(map)
          if (life.ready) vainAttempts += 1
          if (!made.complete) down(map, new Error('the cluster has slots that no node serves'))
          if (vainAttempts > patience) down(map, new Error('channels that have moved are not found'))
          subscriptions.reconcile()
          publisher.pump()
          settle()
        },
        onFailure: (error) => down(map, error),
      })
      topology = made
      signal.addEventListener('abort', () => {
        clearTimeout(late)
        publisher.refuse(life.notSent)
      })
      await life.start(events, made.run, () => connectionFailure(new Error('it has not answered yet'), seed))
    },

    async subscribe(channel) {
      life.assertOpen()
      await subscriptions.add(channel)
    },

    unsubscribe: (channel) => subscriptions.remove(channel),

    async publish(channel, payload) {
      life.assertOpen()
      if (!life.ready) throw life.notSent(channel)
      try {
        await life.track(publisher.publish(channel, payload))
      } catch (error) {
        throw isPubSubError(error, 'not_sent') ? error : publishFailure(error, channel)
      }
    },

    async ping() {
      life.assertOpen()
      try {
        if (!life.ready || topology === undefined) throw life.cause ?? new Error('not connected')
        await Promise.all(Array.from(topology.nodes.values(), async (node) => node.publishing?.ping()))
      } catch (cause) {
        throw new PubSubError('unavailable', describeError(cause), { backend, cause })
      }
    },

    close: () => life.close(subscriptions.stop),
  }
}
