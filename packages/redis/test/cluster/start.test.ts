import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { inspectDeep, observe, startOwnRedis, startReady } from '../observed-backend.js'
import { startOwnCluster } from './own-cluster.js'

const channels = Array.from({ length: 20 }, (_, index) => `channel ${index}`)

/** Expects that channels of every slot are heard, and nothing else is told. */
async function expectToWork(test: Parameters<typeof startReady>[0], url: string): Promise<void> {
  const observed = await startReady(test, url)
  await Promise.all(channels.map((channel) => observed.backend.subscribe(channel)))
  await Promise.all(channels.map((channel) => observed.backend.publish(channel, channel)))
  await waitFor(() => observed.messages.length === channels.length)
  for (const channel of channels) expect(observed.payloads(channel)).toEqual([channel])
  expect(observed.events).toEqual([])
}

it('a cluster with a password, over TLS, works', async (test) => {
  const cluster = await startOwnCluster(test, { password: 'secret', tls: true })
  await expectToWork(test, cluster.url)
})

it('one node alone, which knows no address of its own, works', async (test) => {
  const cluster = await startOwnCluster(test, { masters: 1, settings: { 'cluster-announce-ip': '' } })
  expect(String(await cluster.nodes[0]?.command('CLUSTER', 'SLOTS'))).toMatch(/^0,16383,,/)
  await expectToWork(test, cluster.url)
})

it.for([
  ['go by their names', { 'cluster-announce-hostname': 'localhost' }, 'localhost'],
  ['are to go by names that they have not got', {}, '?'],
] as const)('nodes that %s work', async ([, settings, name], test) => {
  const cluster = await startOwnCluster(test, {
    settings: { 'cluster-preferred-endpoint-type': 'hostname', ...settings },
  })
  const [first] = cluster.nodes
  await waitFor(async () => String(await first?.command('CLUSTER', 'SLOTS')).split(`,${name},`).length > 3)
  await expectToWork(test, cluster.url)
})

it('one replica that is named is enough to find all', async (test) => {
  const cluster = await startOwnCluster(test, { replicas: 1 })
  await expectToWork(test, `redis+cluster://127.0.0.1:${cluster.nodes[4]?.port}`)
})

it('a master that gives all its slots away is let go, and what it served is heard elsewhere', async (test) => {
  const cluster = await startOwnCluster(test)
  const observed = await startReady(test, cluster.url)
  await Promise.all(channels.map((channel) => observed.backend.subscribe(channel)))
  const [heir, , leaving] = cluster.nodes
  await leaving?.command('CLUSTER', 'FLUSHSLOTS')
  for (const command of ['DELSLOTSRANGE', 'ADDSLOTSRANGE'])
    await heir?.command('CLUSTER', command, Math.ceil((16_384 * 2) / 3), 16_383)
  await heir?.command('CLUSTER', 'BUMPEPOCH')
  await waitFor(() => observed.state === 'ready' && observed.gaps.length > 0)
  await waitFor(async () => !String(await leaving?.command('CLIENT', 'LIST')).includes('@ps/redis'))
  await Promise.all(channels.map((channel) => observed.backend.publish(channel, channel)))
  await waitFor(() => observed.messages.length === channels.length)
  expect(observed.events).toEqual(['gap'])
})

it('a user with no rights but those that are documented is enough', async (test) => {
  const cluster = await startOwnCluster(test)
  const rights = ['+spublish', '+ssubscribe', '+sunsubscribe', '+cluster|info', '+cluster|slots']
  for (const node of cluster.nodes)
    await node.command('ACL', 'SETUSER', 'limited', 'on', '>secret', 'resetkeys', 'allchannels', ...rights)
  await expectToWork(test, cluster.url.replace('//', '//limited:secret@'))
})

it('a wrong password is refused at the start, and shown nowhere', async (test) => {
  const cluster = await startOwnCluster(test, { password: 'secret' })
  const { backend, start, warnings } = observe(test, cluster.url.replace('secret', 'wrong-one'))
  const error = await start().catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'authentication' })
  expect(inspectDeep([error, warnings])).not.toContain('wrong-one')
  await backend.close()
})

it('a server that is no cluster is refused at the start, with what to write instead', async (test) => {
  const server = await startOwnRedis(test)
  const { start } = observe(test, `redis+cluster://127.0.0.1:${server.port}`)
  await expect(start()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('the URL of a single server begins with redis://'),
  })
})
