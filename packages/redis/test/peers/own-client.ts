import { type Client, createClient, type Settings } from '@ps/core'
import type { TestContext } from 'vitest'

/** A client of the test's own, closed after it. */
export async function openClient(
  test: Pick<TestContext, 'onTestFinished'>,
  settings: Settings,
): Promise<Client> {
  const client = await createClient({
    ...settings,
    backend: 'redis',
    backends: { redis: () => import('../../src/index.js') },
    environment: {},
    log: { info: () => {}, warn: () => {}, error: () => {} },
  })
  test.onTestFinished(() => client.close())
  return client
}
