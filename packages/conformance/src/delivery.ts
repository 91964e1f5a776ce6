import { expect } from 'vitest'
import type { Case } from './case.js'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

export const delivery: readonly Case[] = [
  {
    title: 'every JSON value arrives as the same JSON value',
    async run({ open, channel }) {
      const peer = await open()
      const name = channel()
      const values = [
        ...(JSON.parse('[null, true, false, 0, -1.5e-7, 9007199254740991, "", [], {}, [[[]]]]') as unknown[]),
        { a: { b: [1, null] }, 'key "quoted" \u0000 ü 😀': 'value', '': '' },
        'quotes " and \' and \\ and \\\\ and / and `',
        'line\nfeed, carriage\rreturn, tab\t, bell \u0007, NUL \u0000, delete \u007f',
        'Grüße, 你好, שלום, 👩🏽‍🚀, \u2028\u2029\ufeff\uffff, half a pair \ud83d',
        '$1 %s {0} \\x41 \\u0041',
      ]
      await peer.backend.subscribe(name)
      await Promise.all(values.map((value) => peer.publish(name, value)))
      expect(await peer.arrived(name, values.length)).toEqual(values)
    },
  },
  {
    title: 'what was published before the subscription does not arrive',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const name = channel()
      await publisher.publish(name, 'before')
      await listener.backend.subscribe(name)
      await publisher.publish(name, 'after')
      expect(await listener.arrived(name, 1)).toEqual(['after'])
    },
  },
  {
    title: 'once subscribe() has resolved, what another instance publishes arrives',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      for (const attempt of numbers(50)) {
        const name = channel()
        await listener.backend.subscribe(name)
        await publisher.publish(name, attempt)
        expect(await listener.arrived(name, 1)).toEqual([attempt])
      }
    },
  },
  {
    title: 'a message arrives on its own channel only, and only where that is subscribed',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const [first, second, unsubscribed] = [channel(), channel(), channel()]
      await Promise.all([listener.backend.subscribe(first), listener.backend.subscribe(second)])
      await publisher.publish(unsubscribed, 'nobody')
      await publisher.publish(first, 'first')
      await publisher.publish(second, 'second')
      await listener.arrived(first, 1)
      await listener.arrived(second, 1)
      await publisher.publish(first, 'end')
      expect(await listener.arrived(first, 2)).toEqual(['first', 'end'])
      expect(listener.values(second)).toEqual(['second'])
      expect(listener.values(unsubscribed)).toEqual([])
      expect(publisher.values(first)).toEqual([])
    },
  },
  {
    title: 'every subscribed instance gets a message, the publishing one too, each once',
    async run({ open, channel }) {
      const peers = [await open(), await open(), await open()] as const
      const name = channel()
      await Promise.all(peers.map((peer) => peer.backend.subscribe(name)))
      await peers[0].publish(name, 'hello')
      await peers[0].publish(name, 'end')
      for (const peer of peers) expect(await peer.arrived(name, 2)).toEqual(['hello', 'end'])
    },
  },
  {
    title: '10,000 messages published at once on a channel arrive in order',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const name = channel()
      const values = numbers(10_000)
      await listener.backend.subscribe(name)
      await Promise.all(values.map((value) => publisher.publish(name, value)))
      expect(await listener.arrived(name, values.length)).toEqual(values)
    },
  },
  {
    title: 'messages of 10 bytes and of 20 kB by turns arrive in order',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const name = channel()
      const values = numbers(400).map((index) => `${index}`.padEnd(index % 2 === 0 ? 8 : 20_000, '.'))
      await listener.backend.subscribe(name)
      await Promise.all(values.map((value) => publisher.publish(name, value)))
      expect(await listener.arrived(name, values.length)).toEqual(values)
    },
  },
  {
    title: '20 channels carry 100 messages each in parallel, each channel in order',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const names = numbers(20).map(() => channel())
      const values = numbers(100)
      await Promise.all(names.map((name) => listener.backend.subscribe(name)))
      await Promise.all(values.flatMap((value) => names.map((name) => publisher.publish(name, value))))
      for (const name of names) expect(await listener.arrived(name, values.length)).toEqual(values)
    },
  },
  {
    title: 'two instances that publish on one channel are each heard in order',
    async run({ open, channel }) {
      const [left, right, listener] = [await open(), await open(), await open()]
      const name = channel()
      const values = numbers(500)
      await listener.backend.subscribe(name)
      await Promise.all(
        values.flatMap((value) => [
          left.publish(name, { left: value }),
          right.publish(name, { right: value }),
        ]),
      )
      const heard = await listener.arrived(name, 2 * values.length)
      expect(heard).toHaveLength(2 * values.length)
      expect(heard.filter((value) => Object.hasOwn(Object(value), 'left'))).toEqual(
        values.map((left) => ({ left })),
      )
      expect(heard.filter((value) => Object.hasOwn(Object(value), 'right'))).toEqual(
        values.map((right) => ({ right })),
      )
    },
  },
  {
    title:
      'a send(), where there is one, settles each message once, never within the call, in order with publish()',
    needs: ['backend'],
    async run({ open, channel, until }) {
      const [publisher, listener] = [await open(), await open()]
      const { backend } = publisher
      if (backend.send === undefined) return
      const name = channel()
      const values = numbers(1_000)
      const settled: unknown[] = []
      let isCalling = false
      const send = (ticket: number): void => {
        isCalling = true
        backend.send?.(
          name,
          JSON.stringify(ticket),
          (given, error) => settled.push(isCalling ? 'within the call' : (error ?? given)),
          ticket,
        )
        isCalling = false
      }
      await listener.backend.subscribe(name)
      const published: Promise<void>[] = []
      for (const value of values) {
        if (value % 2 === 0) send(value)
        else published.push(publisher.publish(name, value))
      }
      expect(await listener.arrived(name, values.length)).toEqual(values)
      await Promise.all(published)
      await until(() => settled.length >= values.length / 2, 'the outcome of every message')
      await backend.close()
      send(-1)
      await until(() => settled.length > values.length / 2, 'the refusal of a closed backend')
      const refusal = settled.pop()
      expect(refusal).toMatchObject({ code: 'closed' })
      expect(settled).toEqual(values.filter((value) => value % 2 === 0))
    },
  },
  {
    title: 'equal messages published at once all arrive',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const names = [channel(), channel()]
      const copies = Array.from({ length: 300 }, () => ({ equal: true }))
      await Promise.all(names.map((name) => listener.backend.subscribe(name)))
      await Promise.all(copies.flatMap((copy) => names.map((name) => publisher.publish(name, copy))))
      await Promise.all(names.map((name) => publisher.publish(name, 'end')))
      for (const name of names)
        expect(await listener.arrived(name, copies.length + 1)).toEqual([...copies, 'end'])
    },
  },
  {
    title: 'payloads that differ in nothing but JSON whitespace all arrive',
    async run({ open, channel }) {
      const peer = await open()
      const name = channel()
      const payloads = [
        '{"a":1}',
        '{"a":1} ',
        ' {"a":1}',
        '{"a":1}\t',
        '{"a":1}\n',
        '{ "a" : 1 }',
        '{"a":1}\r\n',
      ]
      await peer.backend.subscribe(name)
      await Promise.all([...payloads, ...payloads].map((payload) => peer.backend.publish(name, payload)))
      await peer.publish(name, 'end')
      const all = [...payloads, ...payloads].map(() => ({ a: 1 }))
      expect(await peer.arrived(name, all.length + 1)).toEqual([...all, 'end'])
    },
  },
  {
    title: 'user data that looks like control data arrives as the same JSON value',
    async run({ open, channel }) {
      const peer = await open()
      const name = channel()
      const payloads = [
        '{"$ps.part":["x",0,2],"data":"aGk="}',
        '{"$ps.part":["x",1,2],"data":"aGk="}',
        '{"$ps.part":["x",0,1],"data":"eyJhIjoxfQ=="}',
        '{"$ps.part":null}',
        '{"$ps":"1;publisher;7;","a":1}',
        '{"$ps":{"nested":true}}',
        '{ "$ps.part": ["x",0,2] }',
        '{"$ps.escaped":{"$ps.part":["x",0,2]}}',
        '[{"$ps.part":["x",0,2]}]',
        '"$ps.part"',
      ]
      await peer.backend.subscribe(name)
      await Promise.all(payloads.map((payload) => peer.backend.publish(name, payload)))
      await peer.publish(name, 'end')
      const values = payloads.map((payload): unknown => JSON.parse(payload))
      expect(await peer.arrived(name, values.length + 1)).toEqual([...values, 'end'])
    },
  },
]
