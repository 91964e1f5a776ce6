import type { PubSubError } from '@ps/core'
import { type Address, addressOf } from './cluster-map.js'
import { type CommandConnection, type Connection, openConnection, openListening } from './connection.js'
import type { ConnectionTarget } from './connection-url.js'
import { keepConnected } from './keep-connected.js'

/** One master of a cluster, and the connections to it: each is made anew whenever it is lost. */
export interface ClusterNode {
  readonly address: Address
  readonly target: ConnectionTarget
  /** The connection that publishes, while it is up. */
  readonly publishing: CommandConnection | undefined
  /** The connection that listens, while it is up. There is none before `listen`. */
  readonly listening: Connection | undefined
  /** Whether all connections that it is to have are up. */
  readonly connected: boolean
  listen(): void
  /** Gives its connections up: it is a master no longer. */
  leave(reason: PubSubError): void
  /** Resolves after `leave`, or when all ends. */
  readonly ended: Promise<unknown>
}

export interface ClusterNodeOptions {
  readonly target: ConnectionTarget
  readonly signal: AbortSignal
  readonly onMessage: (channel: string, payload: string | undefined) => void
  readonly onConnected: () => void
  readonly onMoved: (connection: Connection, channel: string) => void
  /** A connection was lost. Called before any of its calls is rejected. `hasLeft`: since `leave` was called. */
  readonly onLost: (connection: Connection, cause: PubSubError, hasLeft: boolean) => void
  /** A connection could not be made. */
  readonly onFailure: (error: unknown) => void
}

export function createClusterNode(options: ClusterNodeOptions): ClusterNode {
  const { target, onMessage, onConnected, onMoved, onLost, onFailure } = options
  const leaving = new AbortController()
  const signal = AbortSignal.any([options.signal, leaving.signal])
  let publishing: CommandConnection | undefined
  let listening: Connection | undefined
  let listens: Promise<void> | undefined

  const failed = (error: unknown): void => {
    if (!signal.aborted) onFailure(error)
  }

  const publishOver = async (): Promise<void> => {
    const connection = await openConnection({
      target,
      name: '@ps/redis:publish',
      signal,
      onLost(cause) {
        const lost = publishing
        publishing = undefined
        if (lost !== undefined) onLost(lost, cause, leaving.signal.aborted)
      },
    })
    if (connection.lost !== undefined) throw connection.lost
    publishing = connection
    onConnected()
    await connection.ended
  }

  const listenOver = async (): Promise<void> => {
    const connection = await openListening({
      target,
      name: '@ps/redis:subscribe',
      signal,
      onMessage,
      onMoved(channel) {
        if (listening !== undefined) onMoved(listening, channel)
      },
      onLost(cause) {
        const lost = listening
        listening = undefined
        if (lost !== undefined) onLost(lost, cause, leaving.signal.aborted)
      },
    })
    if (connection.lost !== undefined) throw connection.lost
    listening = connection
    onConnected()
    await connection.ended
  }

  const publishes = keepConnected(publishOver, failed, signal)
  return {
    address: addressOf(target),
    target,
    get publishing() {
      return publishing
    },
    get listening() {
      return listening
    },
    get connected() {
      return publishing !== undefined && (listens === undefined || listening !== undefined)
    },
    listen() {
      listens ??= keepConnected(listenOver, failed, signal)
    },
    leave: (reason) => leaving.abort(reason),
    // Nothing that begins to listen then goes on.
    ended: publishes.then(() => listens),
  }
}
