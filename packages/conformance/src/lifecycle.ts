import { expect } from 'vitest'
import type { Case } from './case.js'
import { outcome } from './outcome.js'

export const lifecycle: readonly Case[] = [
  {
    title: 'unsubscribe() stops the delivery',
    async run({ open, channel }) {
      const [publisher, leaver, stayer] = [await open(), await open(), await open()]
      const name = channel()
      await Promise.all([leaver.backend.subscribe(name), stayer.backend.subscribe(name)])
      await publisher.publish(name, 'before')
      await Promise.all([leaver.arrived(name, 1), stayer.arrived(name, 1)])
      await leaver.backend.unsubscribe(name)
      await publisher.publish(name, 'between')
      await stayer.arrived(name, 2)
      await leaver.backend.subscribe(name)
      await publisher.publish(name, 'after')
      expect(await leaver.arrived(name, 2)).toEqual(['before', 'after'])
      expect(await stayer.arrived(name, 3)).toEqual(['before', 'between', 'after'])
    },
  },
  {
    title: 'no message is delivered after unsubscribe() has been called, even those under way',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const name = channel()
      await listener.backend.subscribe(name)
      const publishes = Array.from({ length: 1_000 }, (_, index) => publisher.publish(name, index))
      const unsubscribed = listener.backend.unsubscribe(name)
      const heard = listener.values(name)
      await Promise.all([unsubscribed, ...publishes])
      await listener.backend.subscribe(name)
      await publisher.publish(name, 'end')
      expect(await listener.arrived(name, heard.length + 1)).toEqual([...heard, 'end'])
    },
  },
  {
    title: 'a channel that is subscribed again works, and its messages do not double',
    async run({ open, channel }) {
      const peer = await open()
      const [name, other] = [channel(), channel()]
      await peer.backend.subscribe(other)
      for (let round = 0; round < 5; round += 1) {
        await peer.backend.subscribe(name)
        await peer.backend.unsubscribe(name)
      }
      await peer.backend.subscribe(name)
      await peer.publish(name, 'once')
      await peer.publish(name, 'end')
      expect(await peer.arrived(name, 2)).toEqual(['once', 'end'])
      await peer.publish(other, 'still here')
      expect(await peer.arrived(other, 1)).toEqual(['still here'])
    },
  },
  {
    title: 'the last channel may be let go and another subscribed',
    async run({ open, channel }) {
      const peer = await open()
      for (let round = 0; round < 5; round += 1) {
        const name = channel()
        await peer.backend.subscribe(name)
        await peer.publish(name, round)
        expect(await peer.arrived(name, 1)).toEqual([round])
        await peer.backend.unsubscribe(name)
      }
    },
  },
  {
    title: 'ping() resolves, also beside other traffic',
    async run({ open, channel }) {
      const peer = await open()
      const name = channel()
      await peer.backend.ping()
      await peer.backend.subscribe(name)
      await Promise.all([
        ...Array.from({ length: 100 }, (_, index) => peer.publish(name, index)),
        peer.backend.ping(),
        peer.backend.ping(),
      ])
      expect(await peer.arrived(name, 100)).toHaveLength(100)
    },
  },
  {
    title: 'close() is idempotent',
    async run({ open, channel }) {
      const peer = await open()
      await peer.backend.subscribe(channel())
      await Promise.all([peer.backend.close(), peer.backend.close()])
      await peer.backend.close()
    },
  },
  {
    title: 'after close() every call rejects with "closed"',
    needs: ['backend'],
    async run({ open, channel }) {
      const peer = await open()
      await peer.backend.close()
      expect(await outcome(peer.publish(channel(), 1))).toBe('closed')
      expect(await outcome(peer.backend.subscribe(channel()))).toBe('closed')
      expect(await outcome(peer.backend.ping())).toBe('closed')
    },
  },
  {
    title: 'what was published before close() is sent, and what is published during it is refused',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const name = channel()
      const values = Array.from({ length: 300 }, (_, index) =>
        `${index}`.padEnd(index % 50 === 0 ? 20_000 : 5),
      )
      await listener.backend.subscribe(name)
      const before = values.map((value) => outcome(publisher.publish(name, value)))
      const closing = publisher.backend.close()
      const during = outcome(publisher.publish(name, 'during'))
      await closing
      expect(new Set(await Promise.all(before))).toEqual(new Set(['resolved']))
      expect(await during).toBe('closed')
      expect(await listener.arrived(name, values.length)).toEqual(values)
    },
  },
  {
    title: 'close() settles a subscribe() that is under way',
    async run({ open, channel }) {
      const peer = await open()
      const subscribing = outcome(peer.backend.subscribe(channel()))
      await peer.backend.close()
      expect(['resolved', 'closed']).toContain(await subscribing)
    },
  },
  {
    title: 'closing one instance does not touch another',
    async run({ open, channel }) {
      const [leaver, stayer] = [await open(), await open()]
      const name = channel()
      await Promise.all([leaver.backend.subscribe(name), stayer.backend.subscribe(name)])
      await leaver.backend.close()
      await stayer.publish(name, 'still here')
      expect(await stayer.arrived(name, 1)).toEqual(['still here'])
      expect(leaver.values(name)).toEqual([])
    },
  },
]
