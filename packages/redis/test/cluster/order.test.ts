import { setTimeout as sleep } from 'node:timers/promises'
import { type FaultProxy, startFaultProxy } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { slotOf } from '../../src/slot.js'
import { connectAdmin, startReady } from '../observed-backend.js'
import { startOwnCluster } from './own-cluster.js'

const [channel, apart, late] = ['{one slot} order', '{one slot} apart', '{one slot} late']

it('what a node refuses because its slot has moved is not overtaken by what is published once the move is known', async (test) => {
  const proxies = new Map<number, FaultProxy>()
  const cluster = await startOwnCluster(test, {
    async announce(port) {
      const proxy = await startFaultProxy({ port })
      test.onTestFinished(() => proxy.close())
      proxies.set(port, proxy)
      return proxy.port
    },
  })
  const slot = slotOf(channel)
  const from = await cluster.ownerOf(slot)
  const to = cluster.nodes.find((node) => node !== from) ?? from
  const publisher = await startReady(test, cluster.url)
  await publisher.backend.subscribe(apart)
  const heard: number[] = []
  const listener = connectAdmin(test, `redis://127.0.0.1:${to.port}`)
  listener.on('smessage', (_, payload) => heard.push(Number(payload)))

  // What is told on the connection that listens is known a while before what was published last is refused.
  proxies.get(from.port)?.delay(500)
  await cluster.migrateSlot(slot, to)
  await listener.ssubscribe(channel)
  const subscribing = publisher.backend.subscribe(late)
  const publishes: Promise<void>[] = []
  while (heard.length < 100) {
    publishes.push(publisher.backend.publish(channel, String(publishes.length)))
    await sleep(5)
  }
  await Promise.all([...publishes, subscribing])
  await waitFor(() => heard.length === publishes.length)
  expect(heard).toEqual(publishes.map((_, index) => index))
})
