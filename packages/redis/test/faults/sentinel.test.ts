import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { createBackend } from '../../src/index.js'
import { startReady } from '../observed-backend.js'
import { startOwnSentinel } from '../sentinel/own-sentinel.js'
import { expectToldOnce, survive } from './struck-clients.js'

it('a master that is killed under load is one gap; its replica takes over, and what it is when it comes back is not used', {
  timeout: 120_000,
}, async (test) => {
  const sentinel = await startOwnSentinel(test)
  const [first, second] = sentinel.servers
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: sentinel.url }),
    async fault(traffic) {
      first?.kill('SIGKILL')
      await traffic.noticed()
      await traffic.recovered()
      expect(await sentinel.master()).toBe(second)
      await traffic.flow(500)
      await first?.restart()
      await sentinel.settled()
      await traffic.flow(500)
      expect(String(await first?.command('CLIENT', 'LIST'))).not.toContain('@ps/redis')
    },
  })
  for (const client of [publisher, listener]) expectToldOnce(client, 1)
})

it('a master that is replaced under load while it lives is one gap', { timeout: 120_000 }, async (test) => {
  const sentinel = await startOwnSentinel(test)
  const { publisher, listener } = await survive({
    create: () => createBackend({ url: sentinel.url }),
    async fault(traffic) {
      await sentinel.sentinels[0]?.command('SENTINEL', 'FAILOVER', 'main')
      await traffic.noticed()
      await traffic.recovered()
      await sentinel.settled()
      expect(await sentinel.master()).toBe(sentinel.servers[1])
      await traffic.flow(500)
    },
  })
  for (const client of [publisher, listener]) expectToldOnce(client, 1)
})

it('a master that stands still until it was replaced is left, and not gone back to', {
  timeout: 120_000,
}, async (test) => {
  const sentinel = await startOwnSentinel(test)
  const [first, second] = sentinel.servers
  await survive({
    create: () => createBackend({ url: sentinel.url }),
    async fault(traffic) {
      first?.kill('SIGSTOP')
      await traffic.noticed()
      await traffic.recovered()
      first?.kill('SIGCONT')
      await sentinel.settled()
      expect(await sentinel.master()).toBe(second)
      await traffic.flow(500)
    },
  })
})

it('a master that lives, but is no longer the one that the sentinels name, is left', async (test) => {
  const sentinel = await startOwnSentinel(test)
  const [first, second] = sentinel.servers
  const observed = await startReady(test, sentinel.url)
  await observed.backend.subscribe('c')
  // Sentinels that cannot reach it cannot tell it that it is replaced, nor end the connections of its clients.
  const cannot = ['slaveof', 'replicaof', 'multi', 'exec', 'client|kill'].map((command) => `-${command}`)
  await first?.command('ACL', 'SETUSER', 'default', ...cannot)
  await sentinel.sentinels[0]?.command('SENTINEL', 'FAILOVER', 'main')
  await waitFor(async () => (await sentinel.master()) === second)
  await waitFor(() => observed.events.join() === 'down,gap,ready')
  expect(observed.gaps[0]).toMatch(/the sentinels name another master/)
  expect(String(await first?.command('ROLE'))).toMatch(/^master/)
})

it('sentinels that are all away cost nothing while the master lives', async (test) => {
  const sentinel = await startOwnSentinel(test, { replicas: 0 })
  const observed = await startReady(test, sentinel.url)
  await observed.backend.subscribe('c')
  const [first] = sentinel.sentinels
  for (const one of sentinel.sentinels) await one.halt()
  await first?.restart()
  await waitFor(async () => String(await first?.command('CLIENT', 'LIST')).includes('@ps/redis:sentinel'))
  await observed.backend.publish('c', '1')
  await waitFor(() => observed.payloads('c').length === 1)
  expect(observed.events).toEqual([])
})
