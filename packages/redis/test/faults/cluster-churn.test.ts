import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { slotOf } from '../../src/slot.js'
import { startOwnCluster } from '../cluster/own-cluster.js'
import { startReady } from '../observed-backend.js'

it('channels that come and go while their slot moves are heard if they are wanted, and not if they are not', {
  timeout: 60_000,
}, async (test) => {
  const cluster = await startOwnCluster(test)
  const [publisher, listener] = [await startReady(test, cluster.url), await startReady(test, cluster.url)]
  const names = Array.from({ length: 40 }, (_, index) => `{slot} ${index}`)
  const slot = slotOf(names[0] ?? '')
  const wanted = new Set<string>()
  const moving = new AbortController()
  const comeAndGo = async (channel: string): Promise<void> => {
    while (!moving.signal.aborted) {
      await listener.backend.subscribe(channel)
      wanted.add(channel)
      if (Math.random() < 0.1) await new Promise((resolve) => setImmediate(resolve))
      if (moving.signal.aborted) return
      wanted.delete(channel)
      await listener.backend.unsubscribe(channel)
    }
  }
  const churning = Promise.all(names.slice(1).map(comeAndGo))
  await listener.backend.subscribe(names[0] ?? '')
  wanted.add(names[0] ?? '')
  for (let move = 1; move <= 15; move += 1) {
    const owner = await cluster.ownerOf(slot)
    await cluster.migrateSlot(slot, cluster.nodes[(cluster.nodes.indexOf(owner) + 1) % 3] ?? owner)
    await waitFor(() => listener.gaps.length >= move)
  }
  moving.abort()
  await churning
  // Each answer is matched with what asked for it, so no connection need be given up.
  expect([listener.events.filter((event) => event === 'down').length, listener.cause?.message]).toEqual([
    0,
    undefined,
  ])
  await waitFor(() => listener.state === 'ready' && publisher.state === 'ready')
  listener.messages.length = 0
  for (const channel of names) await publisher.backend.publish(channel, channel)
  await waitFor(() => listener.messages.length >= wanted.size)
  expect(listener.messages.map(({ channel }) => channel).toSorted()).toEqual([...wanted].toSorted())
  const owner = await cluster.ownerOf(slot)
  expect(((await owner.command('PUBSUB', 'SHARDCHANNELS')) as string[]).toSorted()).toEqual(
    [...wanted].toSorted(),
  )
})
