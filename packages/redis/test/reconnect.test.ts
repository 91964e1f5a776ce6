import { freePort, startFaultProxy } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { connectAdmin, observe, outcome, startReady, startOwnRedis } from './observed-backend.js'

it('a publish in flight when its connection is lost rejects with "outcome_unknown" after state("down"), and is not sent again', async (test) => {
  const redis = await startOwnRedis(test)
  const proxy = await startFaultProxy({ port: redis.port })
  test.onTestFinished(() => proxy.close())
  const listener = await startReady(test, redis.url)
  await listener.backend.subscribe('c')
  const publisher = await startReady(test, proxy.through(redis.url))

  proxy.freeze()
  const order: string[] = []
  const publishes = ['first', 'second'].map((payload) =>
    outcome(publisher.backend.publish('c', payload)).then((code) =>
      order.push(`${payload} ${publisher.state} ${code}`),
    ),
  )
  proxy.cut()
  await Promise.all(publishes)
  expect(order).toEqual(['first down outcome_unknown', 'second down outcome_unknown'])
  expect(await outcome(publisher.backend.publish('c', 'while down'))).toBe('not_sent')
  expect(await outcome(publisher.backend.ping())).toBe('unavailable')

  proxy.thaw()
  await waitFor(() => publisher.state === 'ready')
  await publisher.backend.publish('c', 'end')
  await waitFor(() => listener.payloads('c').includes('end'))
  expect(listener.payloads('c')).toEqual(['end'])
})

it('a server that restarts on its port is taken up again, with what is wanted by then', async (test) => {
  const redis = await startOwnRedis(test)
  const observed = await startReady(test, redis.url)
  await Promise.all(['kept', 'left'].map((channel) => observed.backend.subscribe(channel)))
  await redis.halt()
  await waitFor(() => observed.state === 'down')
  const subscribing = observed.backend.subscribe('added')
  await observed.backend.unsubscribe('left')
  await redis.restart()
  await subscribing
  await waitFor(() => observed.state === 'ready')
  expect(observed.gaps).toHaveLength(1)

  const admin = connectAdmin(test, redis.url)
  expect(await admin.pubsub('NUMSUB', 'kept', 'left', 'added')).toEqual(['kept', 1, 'left', 0, 'added', 1])
  await observed.backend.publish('kept', 'hello')
  await waitFor(() => observed.payloads('kept').length === 1)
})

it('a server that is down at the start is reported with the real reason, and taken up when it comes', async (test) => {
  const port = await freePort()
  const observed = observe(test, `redis://:secret@127.0.0.1:${port}`)
  await observed.start()
  expect(observed.state).toBe('down')
  expect(observed.cause?.message).toBe(`Redis at 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`)
  const subscribing = observed.backend.subscribe('c')
  await startOwnRedis(test, { port })
  await subscribing
  await waitFor(() => observed.state === 'ready')
  await observed.backend.publish('c', 'hello')
  await waitFor(() => observed.payloads('c').length === 1)
  expect(observed.events.filter((event) => event !== 'down')).toEqual(['ready'])
})

it('a connection that is lost when some channels are confirmed and others are not yet is a gap', async (test) => {
  const redis = await startOwnRedis(test)
  const proxy = await startFaultProxy({ port: redis.port })
  test.onTestFinished(() => proxy.close())
  await proxy.refuse()
  const observed = observe(test, proxy.through(redis.url))
  await observed.start()
  const channels = Array.from({ length: 50 }, (_, index) => `channel ${index}`)
  const subscribing = channels.map((channel) => observed.backend.subscribe(channel))
  // Each confirmation comes by itself.
  proxy.trickle()
  await proxy.accept()
  await subscribing[0]
  proxy.cut()
  proxy.normal()
  await Promise.all(subscribing)
  await waitFor(() => observed.state === 'ready')
  expect(observed.gaps).toHaveLength(1)
})

it('a server that is loading its data, or waits for its master, is down until it serves', async (test) => {
  const settings = {
    'enable-debug-command': 'yes',
    'key-load-delay': '1500',
    'loading-process-events-interval-bytes': '1024',
  }
  const redis = await startOwnRedis(test, { settings })
  const admin = connectAdmin(test, redis.url)
  admin.on('error', () => {})
  await admin.call('DEBUG', 'POPULATE', '1000', 'key', '100')
  await admin.save()
  admin.disconnect()
  const observed = await startReady(test, redis.url)
  await redis.restart()
  await waitFor(() => observed.cause?.message.includes('LOADING'))
  await waitFor(() => observed.state === 'ready')

  const second = connectAdmin(test, redis.url)
  await second.config('SET', 'replica-serve-stale-data', 'no')
  await second.replicaof('127.0.0.1', await freePort())
  const replica = observe(test, redis.url)
  await replica.start()
  await waitFor(() => replica.cause?.message.includes('MASTERDOWN'))
  await second.replicaof('NO', 'ONE')
  await waitFor(() => replica.state === 'ready')
})
