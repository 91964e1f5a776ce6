import type { RedisCluster, RedisClusterNode } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { createBackend } from '../../src/index.js'
import { slotOf } from '../../src/slot.js'
import { startOwnCluster } from '../cluster/own-cluster.js'
import { expectToldOnce, survive } from './struck-clients.js'

/** The slots of the channels that these clients listen on now. */
async function listenedSlots(cluster: RedisCluster): Promise<number[]> {
  const lists = await Promise.all(cluster.nodes.map((node) => node.command('PUBSUB', 'SHARDCHANNELS')))
  return lists.flatMap((list) => (Array.isArray(list) ? list.map((channel) => slotOf(String(channel))) : []))
}

it('a master that is killed under load is one gap; its replica takes over, and it comes back as a replica', {
  timeout: 120_000,
}, async (test) => {
  const cluster = await startOwnCluster(test, { masters: 3, replicas: 1 })
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: cluster.url }),
    async fault(traffic) {
      const [slot = 0] = await listenedSlots(cluster)
      const master = await cluster.ownerOf(slot)
      master.kill('SIGKILL')
      await traffic.noticed()
      await traffic.recovered()
      expect(await cluster.ownerOf(slot)).not.toBe(master)
      await traffic.flow(500)
      await master.restart()
      await cluster.settled()
      await traffic.flow(500)
    },
  })
  for (const client of [publisher, listener]) expectToldOnce(client, 1)
})

it('a master that hands over to its replica under load loses nothing but for what a gap tells', {
  timeout: 120_000,
}, async (test) => {
  const cluster = await startOwnCluster(test, { masters: 3, replicas: 1 })
  await survive({
    create: () => createBackend({ url: cluster.url }),
    gaps: { atLeast: 1, atMost: 2 },
    async fault(traffic) {
      const [slot = 0] = await listenedSlots(cluster)
      const master = await cluster.ownerOf(slot)
      const replica = cluster.nodes[cluster.nodes.indexOf(master) + 3]
      await replica?.command('CLUSTER', 'FAILOVER')
      await waitFor(async () => (await cluster.ownerOf(slot)) === replica)
      await waitFor(async () => (await listenedOn(replica)) > 0)
      await traffic.flow(500)
    },
  })
})

const listenedOn = async (node: RedisClusterNode | undefined): Promise<number> => {
  const channels = await node?.command('PUBSUB', 'SHARDCHANNELS')
  return Array.isArray(channels) ? channels.length : 0
}

it('a slot that moves from node to node under load, 20 times, is 20 gaps and no more: nobody is ever down', {
  timeout: 120_000,
}, async (test) => {
  const cluster = await startOwnCluster(test)
  const moves = 20
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: cluster.url }),
    gaps: { atLeast: moves, atMost: moves },
    async fault(traffic) {
      const [slot = 0] = await listenedSlots(cluster)
      const apart = await traffic.listener.hear('another channel, on whatever slot')
      for (let move = 1; move <= moves; move += 1) {
        const owner = await cluster.ownerOf(slot)
        const next = cluster.nodes[(cluster.nodes.indexOf(owner) + 1) % 3] ?? owner
        await cluster.migrateSlot(slot, next)
        // A gap is told to every listener, for a backend has one for all.
        await waitFor(() => apart.gaps.length >= move)
        await traffic.flow(50)
      }
    },
  })
  for (const client of [publisher, listener]) expectToldOnce(client, 0, { otherLines: 0 })
})
