import { type Client, type ClientOptions, createClient, silentLogger } from '@ps/core'
import { waitFor } from '@ps/services/vitest'
import { inject, onTestFinished } from 'vitest'
import { createBackend } from '../src/index.js'

/** A client over PostgreSQL, closed after the test. */
export async function openClient(options: ClientOptions = {}): Promise<Client> {
  const client = await createClient({
    backend: 'postgres',
    databaseUrl: inject('postgresUrl'),
    backends: { postgres: () => ({ createBackend }) },
    environment: {},
    log: silentLogger,
    ...options,
  })
  onTestFinished(() => client.close())
  return client
}

/** What a client hears on a channel. */
export interface Heard {
  readonly messages: unknown[]
  /** Waits for a last message, published for this, and gives all that came before it. */
  settled(): Promise<unknown[]>
}

export async function hear(client: Client, channel: string): Promise<Heard> {
  const messages: unknown[] = []
  await client.listen(channel, (message) => void messages.push(message))
  return {
    messages,
    async settled() {
      await client.publish(channel, 'the last one')
      await waitFor(() => messages.includes('the last one'), { what: 'the last message' })
      return messages.splice(0).filter((message) => message !== 'the last one')
    },
  }
}
