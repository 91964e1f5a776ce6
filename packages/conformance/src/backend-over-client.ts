import { type Backend, type Client, type ClientState, PubSubError, type Subscription } from '@ps/core'
import { createTestedClient, type SuiteSettings } from './watched-client.js'

/**
 * A client over `backend` that can be asked as a backend is, so that a case proves the same of the way through the client,
 * where messages may be packed. Only what a client leaves as it is can be asked so: not the codes of a failed publish.
 */
export function createBackendOverClient(
  backend: Backend,
  settings: SuiteSettings,
  patience: number,
): Backend {
  const { name } = backend
  const subscriptions = new Map<string, Subscription>()
  let client: Client | undefined
  let deliver = (_channel: string, _payload: string): void => {}

  const opened = (): Client => {
    if (client === undefined) throw new PubSubError('closed', 'the client has not been opened')
    return client
  }
  const asBackendState = (state: ClientState): 'ready' | 'down' => (state === 'ready' ? 'ready' : 'down')

  return {
    name: `a client over ${name}`,
    async start(events) {
      client = await createTestedClient(backend, { ...settings, publishTimeout: patience }, () => {})
      deliver = events.message
      client.on('state', ({ state, reason }) => events.state(asBackendState(state), new Error(reason)))
      client.on('gap', ({ reason }) => events.gap(reason))
      client.on('error', (error) => {
        if (error.code === 'invalid_payload') events.invalid(error.channel ?? '', error)
      })
      const { state, reason } = await client.health()
      events.state(asBackendState(state), new Error(reason))
    },
    async subscribe(channel) {
      const listening = opened().listen(channel, (message) => deliver(channel, JSON.stringify(message)))
      subscriptions.set(channel, await listening)
    },
    async unsubscribe(channel) {
      await subscriptions.get(channel)?.unsubscribe()
    },
    // Parsed in the call, so that the order is that of the calls.
    async publish(channel, payload) {
      if (await opened().publish(channel, JSON.parse(payload))) return
      throw new PubSubError('unavailable', `a publish on channel ${JSON.stringify(channel)} was not accepted`)
    },
    async ping() {
      const { latencyMs, reason } = await opened().health()
      if (latencyMs === null) throw new PubSubError('unavailable', reason)
    },
    close: () => client?.close() ?? backend.close(),
  }
}
