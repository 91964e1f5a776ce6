import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { slotOf } from '../../src/slot.js'
import { startReady } from '../observed-backend.js'
import { startOwnCluster } from './own-cluster.js'

const channels = Array.from({ length: 60 }, (_, index) => `channel ${index}`)

it('channels of every node are heard, in order, whichever node they are named by', async (test) => {
  const cluster = await startOwnCluster(test, { masters: 3, replicas: 1 })
  const [publisher, listener] = [await startReady(test, cluster.url), await startReady(test, cluster.url)]
  await Promise.all(channels.map((channel) => listener.backend.subscribe(channel)))
  const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`)
  await Promise.all(
    texts.flatMap((text) => channels.map((channel) => publisher.backend.publish(channel, text))),
  )
  await waitFor(() => listener.messages.length === channels.length * texts.length)
  for (const channel of channels) expect(listener.payloads(channel)).toEqual(texts)
  const owners = await Promise.all(channels.map((channel) => cluster.ownerOf(slotOf(channel))))
  expect(new Set(owners).size).toBe(3)
  expect([...publisher.events, ...listener.events]).toEqual([])
})
