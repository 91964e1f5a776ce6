import type { Backend, BackendModule } from './backend.js'
import type { ChannelMap, Client } from './client.js'
import {
  type Choice,
  type Configuration,
  type Environment,
  readConfiguration,
  type Settings,
} from './configuration.js'
import { settledWithin } from './deadline.js'
import { describeError, isPubSubError, PubSubError } from './errors.js'
import { findInstalledBackend, importInstalledBackend, missingBackend } from './installed-backend.js'
import { guardLogger, type Logger, standardErrorLogger } from './logger.js'
import type { Check } from './message-check.js'
import { openClient } from './open-client.js'
import type { ChannelSchemas, InputsOf, OutputsOf, StandardSchema } from './standard-schema.js'

/** Gives a backend's module when it is needed: `() => import('@ps/redis')`. */
export type BackendLoader = () => BackendModule | Promise<BackendModule>

/** How to create a client. What is not said here is read from the environment. */
export interface ClientOptions<Channels extends object = ChannelMap> extends Settings {
  /**
   * A schema of the messages of each channel (https://standardschema.dev: Zod, Valibot, ArkType and others), which what is published
   * and what arrives must fit. Channels without one are not checked. Default: none.
   */
  readonly channels?:
    | { readonly [Channel in keyof Channels]?: StandardSchema<unknown, Channels[Channel]> | undefined }
    | undefined
  /**
   * The backends to choose from, by name. Default: `@ps/redis` and `@ps/postgres` as they are installed for the program
   * (`process.argv[1]`, then the working directory). `memory` is always there.
   */
  readonly backends?: Readonly<Record<string, BackendLoader>> | undefined
  /** Read where the options are silent. Default: `process.env`. */
  readonly environment?: Environment | undefined
  /** Where the client writes. Default: one line an event on standard error. */
  readonly log?: Logger | undefined
  /** Refuse a backend whose messages do not leave this process. Default: `false`. */
  readonly acrossProcesses?: boolean | undefined
}

/** What {@link createClient} would use, and why. */
export interface Plan {
  /** The backends it would listen on, the first choice first. */
  readonly backends: readonly string[]
  /** One line for people. */
  readonly explanation: string
  /** What the user should know about the choice. */
  readonly warnings: readonly string[]
}

export interface Resolved extends Plan {
  readonly configuration: Configuration
  readonly choices: readonly [Choice, ...Choice[]]
  load(name: string): Promise<BackendModule>
}

const installable = ['redis', 'postgres'] as const

export function resolve({
  backends,
  environment = process.env,
  acrossProcesses = false,
  ...settings
}: ClientOptions): Resolved {
  const loaders: Record<string, BackendLoader> = { memory: () => import('./memory.js'), ...backends }
  if (backends === undefined) {
    for (const name of installable) loaders[name] = () => importInstalledBackend(name)
  }
  const known = [...new Set([...installable, ...Object.keys(loaders)])]
  const configuration = readConfiguration(settings, environment, known)
  const isAvailable = (name: string): boolean =>
    Object.hasOwn(loaders, name) &&
    (backends !== undefined || name === 'memory' || findInstalledBackend(name) !== undefined)

  const warnings: string[] = []
  let { first, fallback } = configuration
  if (acrossProcesses && first.name === 'memory') {
    throw new PubSubError(
      'configuration',
      'the memory backend does not leave this process: set PUBSUB_BACKEND to postgres or redis',
    )
  }
  if (!isAvailable(first.name)) {
    const canUsePostgres = first.name === 'redis' && fallback?.name === 'postgres' && isAvailable('postgres')
    if (!canUsePostgres) throw missingBackend(first.name)
    warnings.push('@ps/redis is not installed: using postgres instead; install @ps/redis to use Redis')
    first = { name: 'postgres', why: '@ps/redis is not installed', explicit: false }
    fallback = undefined
  }
  if (fallback !== undefined && !isAvailable(fallback.name)) {
    if (fallback.explicit) throw missingBackend(fallback.name)
    warnings.push(`no fallback: @ps/${fallback.name} is not installed`)
    fallback = undefined
  }
  const choices: [Choice, ...Choice[]] = fallback === undefined ? [first] : [first, fallback]
  const behind = fallback === undefined ? 'no fallback' : `fallback ${fallback.name} (${fallback.why})`
  return {
    configuration,
    choices,
    warnings,
    backends: choices.map(({ name }) => name),
    explanation: `backend ${first.name} (${first.why}), ${behind}`,
    async load(name) {
      const loader = loaders[name]
      if (loader === undefined) throw missingBackend(name)
      return loader()
    },
  }
}

/** What {@link createClient} would do with the same options, without doing it. Throws as it would. */
export function planClient(options: ClientOptions = {}): Plan {
  const { backends, explanation, warnings } = resolve(options)
  return { backends, explanation, warnings }
}

/**
 * Creates a client. A server that is down is no error: the client retries, and `health()` says so.
 *
 * The types of channels and messages are those of the schemas, or those of `createClient<Channels>()`; then other channels are errors
 * of the compiler. With neither, any channel takes any message.
 *
 * @throws PubSubError `configuration`, `authentication`, `backend_missing`
 */
// `Schemas` is bounded by the option, not by itself: else nobody could write `typeof createClient<Channels>`.
export function createClient<Schemas extends object>(
  options: ClientOptions & { readonly channels: Schemas & ChannelSchemas },
): Promise<Client<OutputsOf<Schemas>, InputsOf<Schemas>>>
export function createClient<Channels extends object = ChannelMap>(
  options?: ClientOptions<Channels>,
): Promise<Client<Channels>>
export async function createClient(options: ClientOptions = {}): Promise<Client> {
  const log = guardLogger(options.log ?? standardErrorLogger)
  const { configuration, choices, explanation, warnings, load } = resolve(options)
  const { limits, listenUrl, packing, prefix, recovery, urlOf } = configuration
  const checks: ReadonlyMap<string, Check> =
    options.channels === undefined
      ? new Map()
      : (await import('./checked-messages.js')).createChecks(options.channels)

  const create = async ({ name }: Choice): Promise<Backend> => {
    const url = urlOf(name)
    const { createBackend } = await loadNamed(name, load)
    return createBackend({
      url,
      listenUrl: name === 'postgres' ? listenUrl : undefined,
      maxMessageBytes: limits.maxMessageBytes,
      log,
    })
  }

  const [first, ...others] = choices
  const backends: [Backend, ...Backend[]] = [await create(first)]
  try {
    for (const choice of others) backends.push(await create(choice))
  } catch (error) {
    await settledWithin(Promise.allSettled(backends.map((backend) => backend.close())), limits.closeTimeout)
    throw error
  }
  for (const warning of warnings) log.warn(warning)
  log.info(explanation)
  return openClient({
    backends,
    prefix,
    packing,
    recovery: recovery ?? choices.length > 1,
    log,
    checks,
    ...limits,
  })
}

export async function loadNamed(name: string, load: Resolved['load']): Promise<BackendModule> {
  try {
    return await load(name)
  } catch (cause) {
    if (isPubSubError(cause)) throw cause
    throw new PubSubError(
      'backend_missing',
      `the backend ${name} cannot be loaded: ${describeError(cause)}`,
      {
        backend: name,
        cause,
      },
    )
  }
}

let shared: Promise<Client> | undefined
let sharedChannels: ClientOptions['channels']

/**
 * The client of this process, as the environment describes it: created at the first call, shared by all, until it is
 * closed. A failure is not remembered. The options of the first call count; schemas that it had not are refused.
 *
 * @throws PubSubError as {@link createClient} does
 */
export function getDefaultClient<Schemas extends object>(
  options: ClientOptions & { readonly channels: Schemas & ChannelSchemas },
): Promise<Client<OutputsOf<Schemas>, InputsOf<Schemas>>>
export function getDefaultClient<Channels extends object = ChannelMap>(
  options?: ClientOptions<Channels>,
): Promise<Client<Channels>>
export function getDefaultClient(options: ClientOptions = {}): Promise<Client> {
  const { channels } = options
  if (shared !== undefined && channels !== undefined && channels !== sharedChannels) {
    const words =
      'the client of this process was created without these schemas: give the same object to every call, or use createClient'
    return Promise.reject(new PubSubError('configuration', words))
  }
  if (shared === undefined) {
    const created: Promise<Client> = createClient(options).then(
      (client) => ({
        ...client,
        close() {
          forget()
          return client.close()
        },
        async [Symbol.asyncDispose]() {
          forget()
          await client.close()
        },
      }),
      (error: unknown) => {
        forget()
        throw error
      },
    )
    const forget = (): void => {
      if (shared === created) shared = undefined
    }
    shared = created
    sharedChannels = channels
  }
  return shared
}
