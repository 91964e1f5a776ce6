import { waitFor } from '@ps/services/vitest'
import { describe, expect, it } from 'vitest'
import { connectAdmin, outcome, startReady, startOwnRedis } from './observed-backend.js'

const clientId = async (
  admin: ReturnType<typeof connectAdmin>,
  name: string,
): Promise<string | undefined> => {
  const list = String(await admin.client('LIST'))
  const ids = list.split('\n').filter((line) => line.includes(` name=${name} `))
  return /id=(\d+)/.exec(ids.at(-1) ?? '')?.[1]
}

describe.concurrent('a connection that is killed 20 times under load', () => {
  it('killed where it publishes: nothing hangs, nothing is doubled, nothing accepted is lost, and no gap is told', async (test) => {
    const redis = await startOwnRedis(test)
    const admin = connectAdmin(test, redis.url)
    const listener = await startReady(test, redis.url)
    await listener.backend.subscribe('c')
    const publisher = await startReady(test, redis.url)
    await publisher.backend.subscribe('other')

    const outcomes = new Map<string, Promise<string>>()
    const statesAtLoss: unknown[] = []
    const publish = async (message: string): Promise<string> => {
      const code = await outcome(publisher.backend.publish('c', message))
      if (code === 'outcome_unknown') statesAtLoss.push(publisher.state)
      return code
    }
    const load = new AbortController()
    const loading = (async () => {
      for (let index = 0; !load.signal.aborted; index += 1) {
        const message = `message ${index}`
        outcomes.set(message, publish(message))
        if (index % 20 > 0) continue
        await new Promise((resolve) => setImmediate(resolve))
        await waitFor(() => publisher.state === 'ready')
      }
    })()
    for (let kill = 0; kill < 20; kill += 1) {
      await waitFor(() => publisher.state === 'ready')
      const downs = publisher.events.filter((event) => event === 'down').length
      // The highest id: the listener's own connection is older.
      const id = await clientId(admin, '@ps/redis:publish')
      expect(await admin.client('KILL', 'ID', id ?? '')).toBe(1)
      await waitFor(() => publisher.events.filter((event) => event === 'down').length > downs)
    }
    await waitFor(() => publisher.state === 'ready')
    load.abort()
    await loading
    await publisher.backend.publish('c', 'end')
    await waitFor(() => listener.payloads('c').includes('end'))

    const heard = listener.payloads('c').slice(0, -1)
    const distinct = new Set(heard)
    const settled = new Map<string, string>()
    for (const [message, result] of outcomes) settled.set(message, await result)
    expect(distinct.size).toBe(heard.length)
    expect(
      heard
        .map((message) => Number(message.split(' ')[1]))
        .every((value, index, all) => index === 0 || value > (all[index - 1] ?? 0)),
    ).toBe(true)
    expect([...settled].filter(([message, code]) => code === 'resolved' && !distinct.has(message))).toEqual(
      [],
    )
    expect(heard.filter((message) => settled.get(message) === 'not_sent')).toEqual([])
    const codes = new Set([...settled.values()].filter((code) => code !== 'not_sent'))
    expect(codes).toEqual(new Set(['resolved', 'outcome_unknown']))
    expect(new Set(statesAtLoss)).toEqual(new Set(['down']))
    expect(publisher.gaps).toEqual([])
    expect(listener.events).toEqual([])
  })

  it('killed where it is subscribed: one gap is told each time, before "ready", and it works after', async (test) => {
    const redis = await startOwnRedis(test)
    const admin = connectAdmin(test, redis.url)
    const listener = await startReady(test, redis.url)
    const channels = Array.from({ length: 50 }, (_, index) => `channel ${index}`)
    await Promise.all(channels.map((channel) => listener.backend.subscribe(channel)))

    const load = new AbortController()
    const loading = (async () => {
      while (!load.signal.aborted)
        await Promise.all(channels.map((channel) => admin.publish(channel, 'load')))
    })()
    for (let kill = 0; kill < 20; kill += 1) {
      expect(await admin.client('KILL', 'TYPE', 'PUBSUB')).toBe(1)
      await waitFor(() => listener.gaps.length === kill + 1 && listener.state === 'ready')
      // "ready" means that every channel is live again.
      const counts = (await admin.pubsub('NUMSUB', ...channels)) as (string | number)[]
      expect(counts.filter((_, index) => index % 2 === 1)).toEqual(channels.map(() => 1))
    }
    load.abort()
    await loading
    expect(listener.events.filter((event) => event !== 'down')).toEqual(
      Array.from({ length: 20 }, () => ['gap', 'ready']).flat(),
    )
    expect(listener.gaps[0]).toContain('the server closed the connection')

    for (const channel of channels) await listener.backend.publish(channel, 'end')
    await waitFor(() => channels.every((channel) => listener.payloads(channel).includes('end')))
    expect(
      channels.map((channel) => listener.payloads(channel).filter((payload) => payload === 'end')),
    ).toEqual(channels.map(() => ['end']))
  })
})
