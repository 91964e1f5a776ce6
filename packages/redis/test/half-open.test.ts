import { startFaultProxy } from '@ps/services'
import { waitFor } from '@ps/services/vitest'
import { describe, expect, it } from 'vitest'
import { observe, outcome, startReady, startOwnRedis } from './observed-backend.js'

// Each waits for seconds and does little.
describe.concurrent('a link that says nothing', () => {
  it('a server that takes connections and stays mute does not hold up start() and close(), and is taken up when it speaks', async (test) => {
    const redis = await startOwnRedis(test)
    const proxy = await startFaultProxy({ port: redis.port })
    test.onTestFinished(() => proxy.close())
    proxy.freeze()
    const given = observe(test, proxy.through(redis.url))
    await given.start()
    await given.backend.close()

    const observed = observe(test, proxy.through(redis.url))
    await observed.start()
    expect(observed.state).toBe('down')
    expect(observed.cause?.message).toContain('it has not answered yet')
    await waitFor(() => observed.cause?.message.includes('the server has not answered for 3 s'))
    proxy.thaw()
    await waitFor(() => observed.state === 'ready')
    await observed.backend.ping()
  })

  it('a link that dies without a word is noticed, and what was in flight is given up', async (test) => {
    const redis = await startOwnRedis(test)
    const proxy = await startFaultProxy({ port: redis.port })
    test.onTestFinished(() => proxy.close())
    const observed = await startReady(test, proxy.through(redis.url))
    await observed.backend.subscribe('c')
    proxy.freeze()
    expect(await outcome(observed.backend.publish('c', 'lost'))).toBe('outcome_unknown')
    await waitFor(() => observed.cause?.message.includes('the server has not answered for 3 s'))
    proxy.cut()
    proxy.thaw()
    await waitFor(() => observed.state === 'ready')
    expect(observed.gaps).toHaveLength(1)
    await observed.backend.publish('c', 'hello')
    await waitFor(() => observed.payloads('c').includes('hello'))
  })

  it('an idle subscription whose link dies without a word is noticed', async (test) => {
    const redis = await startOwnRedis(test)
    const proxy = await startFaultProxy({ port: redis.port })
    test.onTestFinished(() => proxy.close())
    const observed = await startReady(test, redis.url, proxy.through(redis.url))
    await observed.backend.subscribe('c')
    proxy.freeze()
    await waitFor(() => observed.state === 'down')
    proxy.thaw()
    await waitFor(() => observed.gaps.length === 1 && observed.state === 'ready')
  })

  it('a TLS link that dies without a word is noticed too', async (test) => {
    const redis = await startOwnRedis(test, { tls: true })
    const proxy = await startFaultProxy({ port: redis.port })
    test.onTestFinished(() => proxy.close())
    const observed = await startReady(
      test,
      `${proxy.through(redis.url)}?ca=${encodeURIComponent(redis.caFile ?? '')}`,
    )
    proxy.freeze()
    await waitFor(() => observed.state === 'down')
    proxy.cut()
    proxy.thaw()
    await waitFor(() => observed.state === 'ready')
  })

  it('close() gives up what a mute server does not answer', async (test) => {
    const redis = await startOwnRedis(test)
    const proxy = await startFaultProxy({ port: redis.port })
    test.onTestFinished(() => proxy.close())
    const { backend } = await startReady(test, proxy.through(redis.url))
    proxy.freeze()
    const publishing = outcome(backend.publish('c', '1'))
    await backend.close()
    expect(await publishing).toBe('outcome_unknown')
  })
})

it('an event loop that is blocked for longer than a server may stay silent loses no connection', async (test) => {
  const redis = await startOwnRedis(test)
  const observed = await startReady(test, redis.url)
  const block = (milliseconds: number): void => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
  }
  await observed.backend.subscribe('c')
  const publishing = observed.backend.publish('c', 'before')
  block(4_000)
  await publishing
  await observed.backend.publish('c', 'after')
  await waitFor(() => observed.payloads('c').includes('after'))
  expect(observed.events).toEqual([])
})
