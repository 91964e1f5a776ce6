import { expectSurvival } from '@ps/conformance'
import { type FaultProxy, startFaultProxy } from '@ps/services'
import { expect, inject, onTestFinished, test } from 'vitest'
import { createBackend } from '../../src/index.js'

const url = inject('postgresUrl')
const openProxy = async (): Promise<FaultProxy> => {
  const proxy = await startFaultProxy({ port: Number(new URL(url).port) })
  onTestFinished(() => proxy.close())
  return proxy
}
const none = { atLeast: 0, atMost: 0 }

test('a link that brings one byte a packet is slow, and nothing else', async () => {
  const proxy = await openProxy()
  proxy.trickle()
  await expectSurvival({
    create: () => createBackend({ url: proxy.through(url) }),
    parallel: 2,
    gaps: none,
    fault: (traffic) => traffic.flow(20),
  })
})

test('a link that takes 200 ms each way is slow, and nothing else', async () => {
  const proxy = await openProxy()
  proxy.delay(200)
  await expectSurvival({
    create: () => createBackend({ url: proxy.through(url) }),
    parallel: 100,
    gaps: none,
    fault: (traffic) => traffic.flow(500),
  })
})

test('a link that is dead for one process only is repaired by it, and told to nobody else', async () => {
  const proxy = await openProxy()
  await expectSurvival({
    create: () => createBackend({ url: proxy.through(url) }),
    createBystander: () => createBackend({ url }),
    async fault(traffic) {
      proxy.freeze()
      await traffic.noticed()
      expect(proxy.heldBytes).toBeGreaterThan(0)
      // What was connected then stays dead.
      proxy.cut()
      proxy.thaw()
    },
  })
})
