import { expectSurvival, type Survival, type SurvivalOptions, type WatchedClient } from '@ps/conformance'
import { type Client, createClient, type PubSubError, type Settings, type StateChange } from '@ps/core'
import { waitFor } from '@ps/services/vitest'
import type { Redis } from 'ioredis'
import { expect, type TestContext } from 'vitest'

/** What a client has told of a fault. */
export interface Told {
  readonly states: readonly StateChange[]
  readonly errors: readonly PubSubError[]
  /** Warnings and errors that it has logged. */
  readonly warnings: readonly string[]
}

/** A client over Redis, and all that it has told. */
export interface OpenedClient extends Told {
  readonly client: Client
  /** Listens on a channel and writes down what comes, with a `gap` in its place. */
  hear(channel: string): Promise<unknown[]>
  /** Waits until it is ready. */
  ready(): Promise<void>
}

export interface Struck extends Survival {
  readonly publisher: WatchedClient
  readonly listener: WatchedClient
}

/** As `expectSurvival`, and gives the clients that were struck. */
export async function survive({ fault, ...options }: SurvivalOptions): Promise<Struck> {
  const clients: Pick<Struck, 'publisher' | 'listener'>[] = []
  const survival = await expectSurvival({
    ...options,
    async fault(traffic) {
      clients.push(traffic)
      await fault(traffic)
    },
  })
  const [struck] = clients
  if (struck === undefined) throw new Error('the fault did not strike')
  return { ...survival, publisher: struck.publisher, listener: struck.listener }
}

/** A client of the test's own, closed after it. */
export async function openClient(
  test: TestContext,
  redisUrl: string,
  settings: Settings = {},
): Promise<OpenedClient> {
  const warnings: string[] = []
  const note = (line: string): void => void warnings.push(line)
  const client = await createClient({
    ...settings,
    backend: 'redis',
    redisUrl,
    backends: { redis: () => import('../../src/index.js') },
    environment: {},
    log: { info: () => {}, warn: note, error: note },
  })
  test.onTestFinished(() => client.close())
  const errors: PubSubError[] = []
  const states: StateChange[] = []
  client.on('error', (error) => errors.push(error))
  client.on('state', (state) => states.push(state))
  return {
    client,
    errors,
    states,
    warnings,
    async hear(channel) {
      const heard: unknown[] = []
      await client.listen(channel, (message) => void heard.push(message), {
        onGap: () => void heard.push('gap'),
      })
      return heard
    },
    async ready() {
      await waitFor(async () => (await client.health()).state === 'ready', { what: 'the client to be ready' })
    },
  }
}

/** Has the server end all connections of a kind but the admin's own. Resolves with how many there were. */
export const killConnections = async (admin: Redis, type: 'NORMAL' | 'PUBSUB'): Promise<number> =>
  Number(await admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'YES'))

/** Expects that each time it was down was told once, in each way there is, and that there is little else in the log. */
export function expectToldOnce(
  { states, warnings, errors }: Told,
  downs: number,
  { otherLines = 10 }: { readonly otherLines?: number } = {},
): void {
  expect(states.map(({ state }) => state)).toEqual(
    Array.from({ length: downs }, () => ['down', 'ready']).flat(),
  )
  const isDown = (line: string): boolean => line.includes('is down, trying to reconnect')
  expect(errors.filter(({ code }) => code === 'unavailable')).toHaveLength(downs)
  expect(warnings.filter(isDown)).toHaveLength(downs)
  const others = warnings.filter((line) => !isDown(line))
  expect(others.length, others.join('\n')).toBeLessThanOrEqual(otherLines)
}
