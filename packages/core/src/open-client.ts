import type { Backend } from './backend.js'
import { type Broker, createBroker } from './broker.js'
import { assertChannelName } from './channel-name.js'
import type { Client, ClientEvents, Counts, ListenOptions, StateChange, Subscription } from './client.js'
import { settledWithin } from './deadline.js'
import { createEmitter } from './emitter.js'
import { describeError, PubSubError } from './errors.js'
import { checkHealth, combinedState } from './health.js'
import { createLimitedLog } from './limited-log.js'
import { createListener, type Listener } from './listener.js'
import type { Logger } from './logger.js'
import type { Check } from './message-check.js'
import { encodeMessage, type MessageText } from './message-text.js'
import { createPublishQueue } from './publish-queue.js'
import { pullMessages } from './pulled-messages.js'
import { controlChannel } from './recovery/control-channel.js'
import { createOriginReader } from './recovery/origin.js'
import { createRoute } from './route.js'
import type { SqlTransaction } from './sql-transaction.js'
import { createSubscriptions } from './subscriptions.js'

/** The client's bounds; every one has its default in `configuration.ts`. */
export interface ClientLimits {
  readonly publishTimeout: number
  readonly closeTimeout: number
  readonly maxMessageBytes: number
  readonly maxQueuedMessages: number
  readonly maxQueuedBytes: number
  readonly maxListenerMessages: number
  readonly maxListenerBytes: number
  readonly returnAfter: number
  readonly maxKeptBytes: number
}

export interface OpenClientOptions extends ClientLimits {
  /** The first choice first. */
  readonly backends: readonly [Backend, ...Backend[]]
  /** Put before every channel name on the wire. */
  readonly prefix: string
  /** Whether messages of one channel may share a payload. */
  readonly packing: boolean
  /** Whether messages are numbered, so that what a broker has lost can be sent again. */
  readonly recovery: boolean
  readonly log: Logger
  /** What messages are checked with, by channel. */
  readonly checks: ReadonlyMap<string, Check>
}

/** Starts the backends and puts the client on top of them. Rejects, with every backend closed, as `Backend.start` does. */
export async function openClient(options: OpenClientOptions): Promise<Client> {
  const { prefix, log, closeTimeout, maxMessageBytes } = options
  // Without any, no message pays for them.
  const checks = options.checks.size > 0 ? options.checks : undefined
  // Loaded where they are wanted: together they are more than a third of the package.
  const checking = checks && (await import('./checked-messages.js'))
  const packing = options.packing ? await import('./lanes.js') : undefined
  const recovering = options.recovery ? await import('./recovery/recovery.js') : undefined
  const counts: { -readonly [Name in keyof Counts]: number } = {
    published: 0,
    failed: 0,
    delivered: 0,
    dropped: 0,
    invalid: 0,
    gaps: 0,
  }
  const emitter = createEmitter<ClientEvents>((error) =>
    log.error(`an event handler failed: ${describeError(error)}`),
  )
  // Called on `log`, because loggers such as pino use their `this`.
  const logFailure = createLimitedLog((line) => log.error(line), 10_000)
  const logCause = createLimitedLog((line) => log.warn(line), 60_000)
  const logInvalid = createLimitedLog((line) => log.warn(line), 60_000)
  // Those whose callback may run, also after they were unsubscribed; and what ends open subscriptions and loops.
  const listeners = new Set<Listener>()
  const closeHandlers = new Set<() => void>()
  let closing: Promise<void> | undefined
  let started = false
  let disconnecting = false

  const report = (error: PubSubError): void => {
    logFailure(`${error.code} ${error.backend ?? ''}`, error.message)
    emitter.emit('error', error)
  }

  const failed = (error: PubSubError): void => {
    counts.failed += 1
    report(error)
  }

  const invalid = (error: PubSubError): void => {
    counts.invalid += 1
    logInvalid(error.channel ?? '', `${error.message}: it was dropped`)
    emitter.emit('error', error)
  }

  const readOrigin = createOriginReader()
  const connect = (backend: Backend): Broker => {
    const broker = createBroker(backend, prefix, {
      message(channel, payload) {
        if (recovery === undefined) subscriptions.message(channel, readOrigin(payload)?.text ?? payload, 0)
        else if (!recovery.message(broker, channel, payload)) subscriptions.message(channel, payload, 0)
      },
      confirmed(channel) {
        subscriptions.confirmed(channel)
        if (channel !== controlChannel) recovery?.confirmed(channel)
      },
      refused(channel, error) {
        if (channel === controlChannel) report(error)
        else subscriptions.refused(channel, error)
      },
      gap(reason) {
        subscriptions.interrupted(broker, reason, (channel) => recovery?.isPlain(channel) ?? true)
        // Else once it is ready: before that nothing can be asked over it.
        if (broker.state === 'ready') recovery?.interrupted()
      },
      stateChanged: () => stateChanged(broker),
      causeChanged({ name, cause }) {
        const words = `${name} is still down: ${describeError(cause)}`
        logCause(words, words)
      },
      invalid(channel, cause) {
        const words = `a payload on channel ${JSON.stringify(channel)} cannot be read: ${describeError(cause)}`
        invalid(new PubSubError('invalid_payload', words, { channel, backend: backend.name, cause }))
      },
    })
    return broker
  }
  const [first, ...others] = options.backends
  const brokers: readonly [Broker, ...Broker[]] = [connect(first), ...others.map(connect)]
  const subscriptions = createSubscriptions({
    brokers,
    checks,
    checkedMessage: checking?.checkedMessage,
    onInvalid: invalid,
    onRefused: report,
    onEntered: (channel) => recovery?.entered(channel),
    onLeft: (channel) => recovery?.left(channel),
  })
  const recovery = recovering?.createRecovery({
    maxKeptBytes: options.maxKeptBytes,
    brokers,
    deliver: subscriptions.message,
    gap: subscriptions.gap,
  })

  let told: Pick<StateChange, 'backend'> & Partial<StateChange> = { backend: first.name }
  const tellState = (): void => {
    const state = combinedState(brokers.map((broker) => broker.state))
    const change: StateChange = { state, backend: route.chosen.name, reason: route.reason }
    if (!started || closing !== undefined) return
    if (state === told.state && change.backend === told.backend) return
    const { backend: before } = told
    told = change
    if (before !== change.backend) log.warn(`publishing over ${change.backend}: ${change.reason}`)
    emitter.emit('state', change)
  }

  const route = createRoute(brokers, options.returnAfter, () => {
    queue.pump()
    tellState()
  })
  const queue = createPublishQueue({
    route,
    publishTimeout: options.publishTimeout,
    maxMessages: options.maxQueuedMessages,
    maxBytes: options.maxQueuedBytes,
    createLanes: packing?.createLanes,
    outgoing: recovery?.outgoing,
    createStallWatch: recovering?.createStallWatch,
    onDecided: (channel) => recovery?.decided(channel),
    onPublished: () => {
      counts.published += 1
    },
    onFailed: failed,
  })
  const checkedPublishing = checking?.createCheckedPublishing({
    publishTimeout: options.publishTimeout,
    maxMessages: options.maxQueuedMessages,
    maxBytes: options.maxQueuedBytes,
    onFailed: failed,
  })

  const stateChanged = (broker: Broker): void => {
    if (disconnecting) return
    if (broker.state === 'ready') {
      recovery?.interrupted()
      if (started) log.info(`${broker.name} is connected`)
    } else {
      recovery?.failed()
      const { name, cause } = broker
      const words = `${name} is down, trying to reconnect: ${describeError(cause ?? 'no reason given')}`
      log.warn(words)
      emitter.emit('error', new PubSubError('unavailable', words, { backend: name, cause }))
    }
    queue.stateChanged(broker)
    // At start nothing is chosen before every broker has said how it is, or the quickest would win.
    if (started) route.update()
    subscriptions.stateChanged(broker)
  }

  const closeBrokers = async (): Promise<void> => {
    disconnecting = true
    await settledWithin(Promise.allSettled(brokers.map((broker) => broker.backend.close())), closeTimeout)
  }

  try {
    if (recovery !== undefined) for (const broker of brokers) broker.subscribe(controlChannel)
    await Promise.all(brokers.map((broker) => broker.start()))
  } catch (error) {
    closing = closeBrokers()
    route.close()
    await closing
    throw error
  }
  started = true
  route.update()

  const assertOpen = (): void => {
    if (closing !== undefined) throw new PubSubError('closed', 'the client has been closed')
  }

  // One pair for all listeners, of which there may be thousands.
  const counting = {
    onDropped(count: number): void {
      counts.dropped += count
    },
    onDelivered(): void {
      counts.delivered += 1
    },
  }

  const listen = async (
    channel: string,
    callback: (message: never) => unknown,
    { signal, onGap, overflow = 'drop-oldest' }: ListenOptions = {},
    onOverflowClose?: () => void,
  ): Promise<Subscription> => {
    assertOpen()
    assertChannelName(channel)
    signal?.throwIfAborted()
    let closed = false
    const onCallbackError = (cause: unknown): void => {
      const words = `a listener of channel ${JSON.stringify(channel)} failed: ${describeError(cause)}`
      report(new PubSubError('listener_failed', words, { channel, cause }))
    }
    const checkedCallback = checks?.has(channel) === true ? checking?.checkedCallback : undefined
    const listener = createListener({
      channel,
      callback: checkedCallback?.(callback, () => closed, counting.onDelivered) ?? callback,
      overflow,
      maxMessages: options.maxListenerMessages,
      maxBytes: options.maxListenerBytes,
      onGap(gap) {
        counts.gaps += 1
        emitter.emit('gap', gap)
        if (onGap !== undefined) (async () => onGap(gap))().catch(onCallbackError)
      },
      onCallbackError,
      onOverflowClose() {
        void unsubscribe(new PubSubError('gap', 'the listener was too slow: its queue is full', { channel }))
        onOverflowClose?.()
      },
      onDropped: counting.onDropped,
      onDelivered: checkedCallback === undefined ? counting.onDelivered : () => {},
    })
    const end = (): void => {
      closed = true
      signal?.removeEventListener('abort', onAbort)
      closeHandlers.delete(end)
    }
    let removed: Promise<void> | undefined
    // Whoever asks again, after an abort for example, waits for the same end.
    const unsubscribe = (reason?: unknown): Promise<void> => {
      if (removed !== undefined) return removed
      end()
      removed = subscriptions.remove(channel, listener, reason)
      void listener.idle().then(() => listeners.delete(listener))
      return removed
    }
    const onAbort = (): void => void unsubscribe(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    listeners.add(listener)
    closeHandlers.add(end)
    try {
      await subscriptions.add(channel, listener)
    } catch (error) {
      // Not awaited: a broker that does not answer must not hold up who has given up.
      void unsubscribe()
      throw error
    }
    return {
      channel,
      get closed() {
        return closed
      },
      unsubscribe: () => unsubscribe(),
      [Symbol.asyncDispose]: () => unsubscribe(),
    }
  }

  const publishWith = async (
    sql: SqlTransaction,
    channel: string,
    { text }: MessageText,
  ): Promise<boolean> => {
    const broker = brokers.find((one) => one.publishWith !== undefined)
    if (broker?.publishWith === undefined) {
      const used = brokers.map(({ name }) => name).join(' and ')
      const words = `sql needs postgres as the backend or the fallback, and this client uses ${used}`
      throw new PubSubError('configuration', words, { channel })
    }
    await broker.publishWith(sql, channel, text)
    counts.published += 1
    return true
  }

  const flushPublishing = async (): Promise<void> => {
    await checkedPublishing?.flush(closeTimeout)
    await queue.flush(closeTimeout)
  }

  const close = async (): Promise<void> => {
    // Both only for as long as the deadline says; a callback that never settles must not keep the process.
    const running = [...listeners]
    subscriptions.close()
    for (const end of closeHandlers) end()
    await Promise.all([
      flushPublishing(),
      settledWithin(Promise.all(running.map((listener) => listener.idle())), closeTimeout),
    ])
    listeners.clear()
    await recovery?.close()
    route.close()
    await closeBrokers()
  }

  const client: Client = {
    // Not `async`, which would cost each message three more turns of the microtask queue.
    publish(channel, message, publishOptions) {
      try {
        assertOpen()
        assertChannelName(channel)
        const encoded = encodeMessage(channel, message, maxMessageBytes)
        const sql = publishOptions?.sql
        const check = checks?.get(channel)
        if (check === undefined && sql === undefined) return queue.add(channel, encoded)
        const send = (): Promise<boolean> =>
          sql === undefined ? queue.add(channel, encoded) : publishWith(sql, channel, encoded)
        if (check === undefined || checkedPublishing === undefined) return send()
        return checkedPublishing.publish(channel, encoded, check, send)
      } catch (error) {
        return Promise.reject(error)
      }
    },
    listen: (channel, callback, listenOptions) => listen(channel, callback, listenOptions),
    messages: (channel, messagesOptions = {}) => {
      assertChannelName(channel)
      return pullMessages(
        channel,
        (callback, ...rest) => listen(channel, callback, ...rest),
        messagesOptions,
        (end) => {
          closeHandlers.add(end)
          return () => closeHandlers.delete(end)
        },
      )
    },
    health: () => checkHealth({ brokers, route, queue, recovery, counts: { ...counts } }),
    on: emitter.on,
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => client.close(),
  }
  return client
}
