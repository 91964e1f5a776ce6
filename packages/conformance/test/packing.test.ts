import type { Backend } from '@ps/core'
import { createMemoryBroker } from '@ps/core/memory'
import { expect, it } from 'vitest'
import { runCase } from '../src/run-case.js'
import { concerns } from '../src/test-backend.js'

// A suite that runs with packing and never makes a pack would prove nothing.

const losesOneOfAPack = (backend: Backend): Backend => ({
  ...backend,
  publish: (channel, payload) =>
    backend.publish(channel, payload.replace(/^\{"\$ps\.pack":\[(?:[^,[{]+|"[^"]*"),/, '{"$ps.pack":[')),
})

it.each([
  '10,000 messages published at once on a channel arrive in order',
  'messages of 10 bytes and of 20 kB by turns arrive in order',
  '20 channels carry 100 messages each in parallel, each channel in order',
  'messages of 7,990 to 8,010 bytes arrive whole and in order, whatever their characters',
  'what was published before close() is sent, and what is published during it is refused',
  'close() sends what was published before, also beside a callback that never settles; then all is refused',
])('with packing, a backend that loses a message of a pack fails "%s"', async (title) => {
  const found = concerns.flatMap(([, cases]) => cases).find((one) => one.title === title)
  if (found === undefined) throw new Error('there is no such case')
  const broker = createMemoryBroker()
  const settings = { packing: true }
  const run = (create: () => Backend, patience: number): Promise<void> =>
    runCase(found, { create, settings, patience })
  await run(() => broker.createBackend(), 10_000)
  await expect(run(() => losesOneOfAPack(broker.createBackend()), 500)).rejects.toThrow()
})
