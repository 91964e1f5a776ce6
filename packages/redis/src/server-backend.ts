import {
  type Backend,
  type BackendOptions,
  createInbox,
  describeError,
  PubSubError,
  publishBySending,
  type Send,
  silentLogger,
} from '@ps/core'
import { type CommandConnection, type Connection, openConnection, openListening } from './connection.js'
import type { ConnectionTarget } from './connection-url.js'
import { connectionFailure } from './failures.js'
import { keepConnected } from './keep-connected.js'
import { createLifecycle } from './lifecycle.js'
import { createSubscriptions } from './subscriptions.js'

const backend = 'redis'

/** Where the one server is that publishes and listens. */
export interface ServerLocation {
  /** For messages. */
  readonly target: ConnectionTarget
  /** Asked before every attempt to connect. */
  locate(signal: AbortSignal): Promise<ConnectionTarget>
  /** Gives the connection up where the server that was reached is not the one that should be. Default: it always is. */
  verify?(connection: Connection, target: ConnectionTarget): Promise<void>
  /** Gives the connection up once its server is no longer the one. Resolves when it is lost. Default: it always is the one. */
  watch?(connection: Connection, target: ConnectionTarget, signal: AbortSignal): Promise<void>
}

/** Where a backend publishes and where it listens. */
export interface ServerLocations {
  readonly publish: ServerLocation
  readonly listen: ServerLocation
}

/**
 * A backend of one Redis server: one connection that publishes and one that is subscribed, each made anew whenever it is lost.
 * It is `ready` while both are up and every wanted channel is confirmed.
 *
 * `readLocations` reads the URL, and throws where it is unusable.
 */
export function createServerBackend(
  readLocations: () => ServerLocations,
  { log = silentLogger }: Pick<BackendOptions, 'log'>,
): Backend {
  const subscriptions = createSubscriptions()
  const life = createLifecycle()
  const { signal } = life
  let publishing: CommandConnection | undefined
  let listening = false
  // Why subscriptions that were live are so no longer.
  let interruption: string | undefined

  const up = (): void => {
    if (publishing !== undefined && listening) life.up()
  }

  const publishOver = async (location: ServerLocation): Promise<void> => {
    const target = await location.locate(signal)
    const connection = await openConnection({
      target,
      name: '@ps/redis:publish',
      signal,
      onLost(cause) {
        publishing = undefined
        life.down(cause)
      },
    })
    await location.verify?.(connection, target)
    if (connection.lost === undefined) {
      publishing = connection
      up()
      void location.watch?.(connection, target, signal)
    }
    await connection.ended
  }

  const listenOver = async (location: ServerLocation): Promise<void> => {
    const target = await location.locate(signal)
    const connection = await openListening({
      target,
      name: '@ps/redis:subscribe',
      signal,
      onMessage: receive,
      onLost(cause) {
        // Some may have been confirmed before all were.
        if (listening || subscriptions.promised)
          interruption = `the connection that listens was lost: ${describeError(cause)}`
        listening = false
        inbox.hold()
        subscriptions.detach()
        life.down(cause)
      },
    })
    await location.verify?.(connection, target)
    await subscriptions.attach(connection)
    if (connection.lost === undefined) {
      listening = true
      if (interruption !== undefined && !signal.aborted) life.events?.gap(interruption)
      interruption = undefined
      inbox.release(subscriptions.isWanted)
      up()
      void location.watch?.(connection, target, signal)
    }
    await connection.ended
  }

  const inbox = createInbox((channel, payload) => {
    try {
      life.events?.message(channel, payload)
    } catch (error) {
      // What escapes from here would be taken for something that no server says.
      log.error(`a handler failed: ${describeError(error)}`)
    }
  })

  const receive = (channel: string, payload: string | undefined): void => {
    if (!subscriptions.isWanted(channel)) return
    if (payload !== undefined) inbox.message(channel, payload)
    else
      life.events?.invalid(
        channel,
        new PubSubError('invalid_payload', 'it is not UTF-8', { backend, channel }),
      )
  }

  const send: Send = (channel, payload, settled, ticket) => {
    const refusal = life.refusal(channel) ?? (publishing === undefined ? life.notSent(channel) : undefined)
    if (refusal !== undefined) queueMicrotask(() => settled(ticket, refusal))
    else publishing?.send(channel, payload, settled, ticket)
  }

  return {
    name: backend,

    async start(events) {
      const { publish, listen } = readLocations()
      for (const parameter of publish.target.unknownParameters)
        log.warn(`the parameter ${parameter} of the Redis URL is not known and is ignored`)
      const connect = (): Promise<unknown> =>
        Promise.all([
          keepConnected(() => publishOver(publish), life.down, signal),
          keepConnected(() => listenOver(listen), life.down, signal),
        ])
      await life.start(events, connect, () =>
        connectionFailure(new Error('it has not answered yet'), publish.target),
      )
    },

    async subscribe(channel) {
      life.assertOpen()
      await subscriptions.add(channel)
    },

    unsubscribe: (channel) => subscriptions.remove(channel),

    publish: publishBySending(send),
    send,

    async ping() {
      life.assertOpen()
      try {
        if (!life.ready || publishing === undefined) throw life.cause ?? new Error('not connected')
        await publishing.ping()
      } catch (cause) {
        throw new PubSubError('unavailable', describeError(cause), { backend, cause })
      }
    },

    close: () => life.close(subscriptions.stop, () => publishing?.idle()),
  }
}
