import {
  type Backend,
  type Client,
  createClient,
  describeError,
  type Gap,
  type ListenOptions,
  type Logger,
  type PubSubError,
  type Settings,
  type StateChange,
  type Subscription,
} from '@ps/core'
import { until } from './until.js'

/** A client over one backend, and all that it has told. */
export interface WatchedClient {
  /** The client itself. */
  readonly client: Client
  /** Of its `error` event. */
  readonly errors: readonly PubSubError[]
  /** Of its `state` event. */
  readonly states: readonly StateChange[]
  /** Warnings and errors that it has logged. */
  readonly warnings: readonly string[]
  /** Listens and writes down what comes, a gap in its place. Resolves once that is confirmed. */
  hear(channel: string, options?: HearOptions): Promise<Heard>
  /** Resolves once the client is `ready`. */
  ready(): Promise<void>
  /** Closes the client, and rejects where that takes too long. */
  finish(): Promise<void>
}

/** How to listen, but for gaps: they are written down. */
export interface HearOptions extends Omit<ListenOptions, 'onGap'> {
  /** Called with each message once it is written down; what it returns or throws is the callback's. */
  readonly callback?: (message: unknown) => unknown
}

/** What one listener has been given. */
export interface Heard {
  /** What ends it. */
  readonly subscription: Subscription
  /** Messages and gaps, in the order in which they came. */
  readonly events: readonly HeardEvent[]
  /** Those of `events` that are messages. */
  readonly messages: readonly unknown[]
  /** Those of `events` that are gaps. */
  readonly gaps: readonly Gap[]
  /** Resolves with the messages once there are at least `count`. */
  arrived(count: number): Promise<readonly unknown[]>
}

/** One of the things that a listener is given. */
export type HeardEvent = { readonly message: unknown } | { readonly gap: Gap }

export interface WatchClientOptions {
  readonly settings: Settings
  /** Nothing is waited for longer than this, in milliseconds. */
  readonly patience: number
  readonly wrapClient?: ((client: Client) => Client) | undefined
}

/** What a suite may be run with: the settings that change how messages travel. */
export type SuiteSettings = Pick<Settings, 'packing' | 'recovery'>

/** Makes a client over `backend`, which reads nothing from the environment. */
export const createTestedClient = (
  backend: Backend,
  settings: Settings,
  note: Logger['warn'],
): Promise<Client> =>
  createClient({
    ...settings,
    backend: 'tested',
    fallback: 'none',
    backends: { tested: () => ({ createBackend: () => backend }) },
    environment: {},
    log: { info: () => {}, warn: note, error: note },
  })

/** Makes a client over `backend`, and writes down what it tells. */
export async function watchClient(
  backend: Backend,
  { settings, patience, wrapClient = (client) => client }: WatchClientOptions,
): Promise<WatchedClient> {
  const errors: PubSubError[] = []
  const states: StateChange[] = []
  const warnings: string[] = []
  const created = await createTestedClient(backend, settings, (line) => void warnings.push(line))
  const client = wrapClient(created)
  client.on('error', (error) => errors.push(error))
  client.on('state', (state) => states.push(state))

  return {
    client,
    errors,
    states,
    warnings,
    async hear(channel, { callback, ...options } = {}) {
      const events: HeardEvent[] = []
      const messages: unknown[] = []
      const gaps: Gap[] = []
      const subscription = await client.listen(
        channel,
        (message) => {
          events.push({ message })
          messages.push(message)
          return callback?.(message)
        },
        {
          ...options,
          onGap(gap) {
            events.push({ gap })
            gaps.push(gap)
          },
        },
      )
      return {
        subscription,
        events,
        messages,
        gaps,
        async arrived(count) {
          await until(
            () => messages.length >= count,
            `${count} messages on ${JSON.stringify(channel)}`,
            patience,
          ).catch((error: unknown) => {
            throw new Error(`${describeError(error)}; ${messages.length} have come`, { cause: error })
          })
          return messages
        },
      }
    },
    async ready() {
      await until(async () => (await client.health()).state === 'ready', 'the client is not ready', patience)
    },
    finish: () => client.close(),
  }
}
