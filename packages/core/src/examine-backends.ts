import type { Finding } from './backend.js'
import { type ClientOptions, loadNamed, resolve } from './create-client.js'
import { describeError, isPubSubError } from './errors.js'
import { controlChannel } from './recovery/control-channel.js'

/** What to examine: the backends of a client with these options. */
export interface ExamineBackendsOptions extends Omit<ClientOptions, 'channels'> {
  /** Channels whose use is to be tried, too. Default: none. */
  readonly channels?: readonly string[] | undefined
}

/** A {@link Finding}, and the backend that it is about. */
export interface BackendFinding extends Finding {
  /** Its name. */
  readonly backend: string
}

/**
 * What the backends themselves say of the brokers that {@link createClient} would use with the same options: one after another, in
 * the order of the plan. A backend that cannot examine its broker says nothing. `channels` are to be tried, too.
 *
 * Throws as `planClient` does.
 */
export async function* examineBackends(options: ExamineBackendsOptions = {}): AsyncGenerator<BackendFinding> {
  const { channels = [], ...clientOptions } = options
  const { configuration, choices, load } = resolve(clientOptions)
  const { limits, listenUrl, prefix, recovery, urlOf } = configuration
  const control = (recovery ?? choices.length > 1) ? [controlChannel] : []
  for (const { name: backend } of choices) {
    try {
      const url = urlOf(backend)
      const { examine } = await loadNamed(backend, load)
      const found = examine?.({
        url,
        listenUrl: backend === 'postgres' ? listenUrl : undefined,
        maxMessageBytes: limits.maxMessageBytes,
        prefix,
        channels: [...channels, ...control].map((channel) => prefix + channel),
      })
      for await (const finding of found ?? []) yield { ...finding, backend }
    } catch (error) {
      const code = isPubSubError(error) ? error.code : 'examination_failed'
      yield { backend, code, severity: 'problem', message: describeError(error) }
    }
  }
}
