import { expect } from 'vitest'
import type { Case } from './case.js'
import { outcome } from './outcome.js'
import type { Heard, WatchedClient } from './watched-client.js'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

const missedBy = ({ gaps }: Heard): number => gaps.reduce((sum, { missed = 0 }) => sum + missed, 0)

export const listeners: readonly Case[] = [
  {
    title: 'every listener of a channel gets each message once, also when another one leaves',
    async run({ client, channel }) {
      const [publisher, watched] = [await client(), await client()]
      const name = channel()
      const heard = [await watched.hear(name), await watched.hear(name), await watched.hear(name)] as const
      await publisher.client.publish(name, 1)
      for (const one of heard) await one.arrived(1)
      await heard[0].subscription.unsubscribe()
      await publisher.client.publish(name, 2)
      expect(await heard[1].arrived(2)).toEqual([1, 2])
      expect(await heard[2].arrived(2)).toEqual([1, 2])
      expect(heard[0].messages).toEqual([1])
    },
  },
  {
    title: 'two prefixes keep the same channel name apart',
    async run({ client, channel }) {
      const name = channel()
      const prefix = channel()
      const [left, right] = [await client({ prefix: `${prefix}l:` }), await client({ prefix: `${prefix}r:` })]
      const [heardLeft, heardRight] = [await left.hear(name), await right.hear(name)]
      await left.client.publish(name, 'left')
      await right.client.publish(name, 'right')
      expect(await heardLeft.arrived(1)).toEqual(['left'])
      expect(await heardRight.arrived(1)).toEqual(['right'])
      await left.client.publish(name, 'end')
      await right.client.publish(name, 'end')
      expect(await heardLeft.arrived(2)).toEqual(['left', 'end'])
      expect(await heardRight.arrived(2)).toEqual(['right', 'end'])
    },
  },
  {
    title: '5,000 messages of 50 concurrent publishers reach 50 listeners, each publisher in order',
    async run({ client, channel, times }) {
      // 250,000 deliveries: ten times that at once is more than a server on two cores answers in time.
      const each = times > 1 ? 20 : 100
      const clients = await Promise.all(numbers(5).map(() => client({ publishTimeout: 60_000 })))
      const name = channel()
      const fifty = numbers(10).flatMap(() => clients)
      const heard = await Promise.all(fifty.map((one) => one.hear(name)))
      const publish = async ({ client: one }: WatchedClient, publisher: number): Promise<void> => {
        for (const index of numbers(each)) expect(await one.publish(name, [publisher, index])).toBe(true)
      }
      await Promise.all(fifty.map(publish))
      for (const one of heard) {
        const messages = (await one.arrived(50 * each)) as readonly [number, number][]
        expect(messages).toHaveLength(50 * each)
        const next = numbers(50).map(() => 0)
        for (const [publisher, index] of messages) {
          expect(index).toBe(next[publisher])
          next[publisher] = index + 1
        }
      }
    },
  },
  {
    title: 'listeners that come and go at once leave those that stay with every message',
    async run({ client, channel }) {
      const watched = await client()
      const name = channel()
      const come = async (stays: boolean): Promise<Heard> => {
        const heard = await watched.hear(name)
        if (!stays) await heard.subscription.unsubscribe()
        return heard
      }
      for (let round = 0; round < 5; round += 1) await Promise.all(numbers(10).map(() => come(false)))
      const [stayer] = await Promise.all([come(true), ...numbers(9).map(() => come(false))])
      for (const index of numbers(50)) await watched.client.publish(name, index)
      expect(await stayer.arrived(50)).toEqual(numbers(50))
    },
  },
  {
    title: 'a signal that was aborted before listen() subscribes nothing',
    async run({ client, channel }) {
      const watched = await client()
      const name = channel()
      const reason = new Error('no longer wanted')
      await expect(watched.hear(name, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      const heard = await watched.hear(name)
      await watched.client.publish(name, 'end')
      expect(await heard.arrived(1)).toEqual(['end'])
    },
  },
  {
    title:
      'a signal that is aborted while listen() is pending rejects it, and the channel can be listened to again',
    async run({ client, channel }) {
      const watched = await client()
      const name = channel()
      for (let round = 0; round < 10; round += 1) {
        const abort = new AbortController()
        const calls: unknown[] = []
        const pending = watched.hear(name, {
          signal: abort.signal,
          callback: (message) => calls.push(message),
        })
        abort.abort(new Error('given up'))
        await expect(pending).rejects.toThrow('given up')
        const heard = await watched.hear(name)
        await watched.client.publish(name, round)
        expect(await heard.arrived(1)).toEqual([round])
        expect(calls).toEqual([])
        await heard.subscription.unsubscribe()
      }
    },
  },
  {
    title:
      'a signal that is aborted, once or twice, ends the listener; unsubscribing afterwards does nothing',
    async run({ client, channel }) {
      const watched = await client()
      const name = channel()
      const abort = new AbortController()
      const [leaver, stayer] = [await watched.hear(name, { signal: abort.signal }), await watched.hear(name)]
      await watched.client.publish(name, 1)
      await Promise.all([leaver.arrived(1), stayer.arrived(1)])
      abort.abort()
      abort.abort()
      expect(leaver.subscription.closed).toBe(true)
      await leaver.subscription.unsubscribe()
      await leaver.subscription.unsubscribe()
      await watched.client.publish(name, 2)
      expect(await stayer.arrived(2)).toEqual([1, 2])
      expect(leaver.messages).toEqual([1])
    },
  },
  {
    title: 'a signal that is aborted inside the callback makes this message the last one',
    async run({ client, channel }) {
      const watched = await client()
      const name = channel()
      const abort = new AbortController()
      const leaver = await watched.hear(name, {
        signal: abort.signal,
        callback: (message) => message === 3 && abort.abort(),
      })
      const stayer = await watched.hear(name)
      await Promise.all(numbers(100).map((index) => watched.client.publish(name, index)))
      await stayer.arrived(100)
      expect(leaver.messages).toEqual([0, 1, 2, 3])
    },
  },
  {
    title: 'when the last listener has gone, the broker counts no subscription',
    needs: ['subscriptions'],
    async run({ client, channel, subscriptions }) {
      const watched = await client()
      const name = channel()
      const heard = [await watched.hear(name), await watched.hear(name)] as const
      expect(await subscriptions(name)).toBe(1)
      await heard[0].subscription.unsubscribe()
      expect(await subscriptions(name)).toBe(1)
      await heard[1].subscription.unsubscribe()
      expect(await subscriptions(name)).toBe(0)
    },
  },
  {
    title: 'messages() subscribes at the first next(); an iterator that nobody pulls holds nothing',
    needs: ['subscriptions'],
    async run({ client, channel, subscriptions, until }) {
      const watched = await client()
      const name = channel()
      const iterator = watched.client.messages(name)
      await watched.client.publish(name, 'unheard')
      expect(await subscriptions(name)).toBe(0)
      const first = iterator.next()
      await until(async () => (await subscriptions(name)) === 1, 'the iterator subscribes')
      await watched.client.publish(name, 1)
      expect(await first).toEqual({ done: false, value: 1 })
      await iterator.return?.()
      expect(await subscriptions(name)).toBe(0)
    },
  },
  {
    title: 'a loop over messages() ends its subscription by break, by an error, and when the client closes',
    async run({ client, channel }) {
      const [publisher, watched] = [await client(), await client()]
      const name = channel()
      const fed = new AbortController()
      const feed = (async () => {
        for (let index = 0; !fed.signal.aborted; index += 1) {
          await publisher.client.publish(name, index)
          // Also where the publish is settled in the same turn.
          await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      try {
        for await (const message of watched.client.messages(name)) {
          expect(message).toEqual(expect.any(Number))
          break
        }
        const failing = (async () => {
          for await (const message of watched.client.messages(name))
            throw new Error(`refused ${String(message)}`)
        })()
        await expect(failing).rejects.toThrow('refused')
        let pulled = 0
        const ended = (async () => {
          for await (const _ of watched.client.messages(name)) {
            pulled += 1
            if (pulled === 3) void watched.client.close()
          }
        })()
        await ended
        expect(pulled).toBeGreaterThanOrEqual(3)
      } finally {
        fed.abort()
        await feed
      }
    },
  },
  {
    title: 'a callback that throws, rejects or never settles is reported, and hurts no other listener',
    async run({ client, channel, until }) {
      const watched = await client({ closeTimeout: 100 })
      const name = channel()
      const throwing = await watched.hear(name, {
        callback() {
          throw new Error('thrown')
        },
      })
      const rejecting = await watched.hear(name, { callback: () => Promise.reject(new Error('rejected')) })
      const stuck = await watched.hear(name, { callback: () => new Promise(() => {}) })
      const sibling = await watched.hear(name)
      for (const index of numbers(150)) await watched.client.publish(name, index)
      expect(await sibling.arrived(150)).toEqual(numbers(150))
      expect(await throwing.arrived(150)).toEqual(numbers(150))
      expect(await rejecting.arrived(150)).toEqual(numbers(150))
      expect(stuck.messages).toEqual([0])
      await until(() => watched.errors.length === 300, 'every failure is reported')
      for (const word of ['thrown', 'rejected']) {
        const reports = watched.errors.filter(({ message }) => message.includes(word))
        expect(reports).toHaveLength(150)
        expect(reports[0]).toMatchObject({ code: 'listener_failed', channel: name })
      }
    },
  },
  {
    title: 'a listener that is too slow loses the oldest messages, is told how many, and slows no other one',
    async run({ client, channel, until }) {
      const watched = await client({ maxListenerMessages: 10, closeTimeout: 100 })
      const name = channel()
      const gates: (() => void)[] = []
      const slow = await watched.hear(name, { callback: () => new Promise<void>((open) => gates.push(open)) })
      const sibling = await watched.hear(name)
      await Promise.all(numbers(2_000).map((index) => watched.client.publish(name, index)))
      expect(await sibling.arrived(2_000)).toEqual(numbers(2_000))
      expect(sibling.gaps).toEqual([])
      await until(() => {
        for (const open of gates.splice(0)) open()
        return slow.messages.at(-1) === 1_999
      }, 'the slow listener comes to the end')
      expect(missedBy(slow) + slow.messages.length).toBe(2_000)
      expect(slow.messages.slice(-10)).toEqual(numbers(2_000).slice(-10))
      expect(slow.gaps[0]).toMatchObject({ channel: name, missed: expect.any(Number) })
    },
  },
  {
    title:
      'a callback that takes 100 ms, while 15,000 messages come at once, costs no more than its bounded queue',
    async run({ client, channel }) {
      const watched = await client({ closeTimeout: 100 })
      const name = channel()
      const slow = await watched.hear(name, {
        callback: () => new Promise((resolve) => setTimeout(resolve, 100)),
      })
      const sibling = await watched.hear(name)
      const total = 15_000
      await Promise.all(numbers(total).map((index) => watched.client.publish(name, index)))
      expect(await sibling.arrived(total)).toHaveLength(total)
      expect(sibling.gaps).toEqual([])
      const { dropped } = (await watched.client.health()).counts
      // 10,000 wait, and a few have been handed over.
      expect(dropped).toBeGreaterThan(total - 10_000 - 1_000)
      expect(dropped).toBeLessThanOrEqual(total - 10_000)
      await slow.arrived(slow.messages.length + 1)
      expect(missedBy(slow)).toBeLessThanOrEqual(dropped)
      expect(missedBy(slow)).toBeGreaterThan(0)
    },
  },
  {
    title: 'with drop-newest a slow listener keeps the oldest messages; with close it is told and closed',
    async run({ client, channel, until }) {
      const watched = await client({ maxListenerMessages: 10, closeTimeout: 100 })
      const name = channel()
      const gates: (() => void)[] = []
      const gate = (): Promise<void> => new Promise((open) => gates.push(open))
      const keeping = await watched.hear(name, { overflow: 'drop-newest', callback: gate })
      const closing = await watched.hear(name, { overflow: 'close', callback: gate })
      const sibling = await watched.hear(name)
      await Promise.all(numbers(500).map((index) => watched.client.publish(name, index)))
      await sibling.arrived(500)
      await until(() => {
        for (const open of gates.splice(0)) open()
        return missedBy(keeping) + keeping.messages.length === 500
      }, 'the rest is told as missed')
      expect(keeping.messages).toEqual(numbers(keeping.messages.length))
      expect(closing.subscription.closed).toBe(true)
      expect(closing.gaps).toHaveLength(1)
      expect(closing.messages).toEqual(numbers(closing.messages.length))
    },
  },
  {
    title: 'a payload that is not JSON is reported and dropped, and the listener lives on',
    async run({ open, client, channel, until }) {
      const [foreign, watched] = [await open({ foreign: true }), await client()]
      const name = channel()
      const heard = await watched.hear(name)
      await foreign.backend.publish(name, 'not json')
      await foreign.publish(name, 'after')
      expect(await heard.arrived(1)).toEqual(['after'])
      await until(() => watched.errors.length === 1, 'it is reported')
      expect(watched.errors[0]).toMatchObject({ code: 'invalid_payload', channel: name })
    },
  },
  {
    title: 'what cannot be published is refused with a code, and nothing of it is sent',
    async run({ client, channel }) {
      const watched = await client()
      const name = channel()
      const heard = await watched.hear(name)
      const cycle: { self?: unknown } = {}
      cycle.self = cycle
      for (const message of [undefined, () => 1, 1n, cycle, Symbol('s')])
        expect(await outcome(watched.client.publish(name, message))).toBe('invalid_message')
      expect(await outcome(watched.client.publish(name, 'x'.repeat(1024 * 1024 - 1)))).toBe(
        'message_too_large',
      )
      for (const invalid of ['', 'a\0b', 'c'.repeat(256), '$ps', 'half a pair \ud83d']) {
        expect(await outcome(watched.client.publish(invalid, 1))).toBe('invalid_channel')
        expect(await outcome(watched.client.listen(invalid, () => {}))).toBe('invalid_channel')
      }
      await watched.client.publish(name, 'end')
      expect(await heard.arrived(1)).toEqual(['end'])
    },
  },
  {
    title:
      'close() sends what was published before, also beside a callback that never settles; then all is refused',
    async run({ client, channel }) {
      const [closing, listener] = [await client({ closeTimeout: 2_000 }), await client()]
      const name = channel()
      const heard = await listener.hear(name)
      const stuck = await closing.hear(name, { callback: () => new Promise(() => {}) })
      await closing.client.publish(name, 0)
      await stuck.arrived(1)
      const published = numbers(500).map((index) => closing.client.publish(name, index + 1))
      const closed = Promise.all([closing.client.close(), closing.client.close()])
      expect(await outcome(closing.client.publish(name, 'late'))).toBe('closed')
      expect(await outcome(closing.client.listen(name, () => {}))).toBe('closed')
      await closed
      expect(new Set(await Promise.all(published))).toEqual(new Set([true]))
      expect(await heard.arrived(501)).toEqual(numbers(501))
      expect(stuck.subscription.closed).toBe(true)
    },
  },
]
