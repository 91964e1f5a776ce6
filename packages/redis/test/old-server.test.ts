import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { connectAdmin, startOwnRedis, startReady } from './observed-backend.js'

it('a server that knows only RESP 2 is published to, listened to and asked whether it lives', async (test) => {
  const server = await startOwnRedis(test, { settings: { 'rename-command': ['HELLO', ''] } })
  const [publisher, listener] = [await startReady(test, server.url), await startReady(test, server.url)]
  await listener.backend.subscribe('é')
  await listener.backend.subscribe('left')
  await listener.backend.unsubscribe('left')
  const texts = Array.from({ length: 1_000 }, (_, index) =>
    JSON.stringify({ index, text: 'ü'.repeat(index) }),
  )
  await Promise.all(texts.map((text) => publisher.backend.publish('é', text)))
  await publisher.backend.publish('left', '1')
  await waitFor(() => listener.messages.length >= texts.length)
  expect(listener.payloads('é')).toEqual(texts)
  // Each of the four connections is asked every second; unheard three times, it would be lost.
  const admin = connectAdmin(test, server.url)
  const pings = async (): Promise<number> =>
    Number(/cmdstat_ping:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)
  const before = await pings()
  await waitFor(async () => (await pings()) >= before + 4 * 4)
  expect([...publisher.events, ...listener.events]).toEqual([])
})
