import { expect, it } from 'vitest'
import { getDefaultClient, isPubSubError, silentLogger } from '../src/index.js'

const memory = { environment: { PUBSUB_BACKEND: 'memory' }, log: silentLogger }

it('is one client for the whole process until it is closed, and a failure is not remembered', async () => {
  const failure = await getDefaultClient({ environment: {}, log: silentLogger }).catch(
    (error: unknown) => error,
  )
  expect(isPubSubError(failure)).toBe(true)
  const first = await getDefaultClient(memory)
  expect(await getDefaultClient()).toBe(first)
  await first.close()
  const second = await getDefaultClient(memory)
  expect(second).not.toBe(first)
  expect(await second.publish('c', 1)).toBe(true)
  await second.close()
})
