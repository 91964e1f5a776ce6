import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Case } from './case.js'

const mebibyte = 1_024 * 1_024

/** As many of `letter` as fit into `bytes` bytes where each takes `letterBytes`, then x. */
const fill = (bytes: number, letter: string, letterBytes: number): string =>
  letter.repeat(Math.floor(bytes / letterBytes)) + 'x'.repeat(bytes % letterBytes)

/** A string whose JSON text has exactly `bytes` bytes. */
const textOfSize = (bytes: number, letter = 'x'): string =>
  fill(bytes - 2, letter, Buffer.byteLength(JSON.stringify(letter)) - 2)

const nameOfSize = (bytes: number, beginning: string, letter = 'n'): string =>
  beginning + fill(bytes - Buffer.byteLength(beginning), letter, Buffer.byteLength(letter))

export const limits: readonly Case[] = [
  {
    title: 'messages of 7,990 to 8,010 bytes arrive whole and in order, whatever their characters',
    async run({ open, channel }) {
      const peer = await open()
      const name = channel()
      const sizes = Array.from({ length: 21 }, (_, index) => 7_990 + index)
      const values = ['x', 'é', '€', '😀', '\u0000', '\\', '"'].flatMap((letter) =>
        sizes.map((size) => textOfSize(size, letter)),
      )
      await peer.backend.subscribe(name)
      await Promise.all(values.map((value) => peer.publish(name, value)))
      expect(await peer.arrived(name, values.length)).toEqual(values)
    },
  },
  {
    title: 'a message of exactly 1 MiB arrives whole',
    async run({ open, channel }) {
      const peer = await open()
      const name = channel()
      const values = ['x', 'é', '€', '😀'].map((letter) => textOfSize(mebibyte, letter))
      for (const value of values) expect(Buffer.byteLength(JSON.stringify(value))).toBe(mebibyte)
      await peer.backend.subscribe(name)
      await Promise.all(values.map((value) => peer.publish(name, value)))
      await peer.arrived(name, values.length)
      // Compared one by one, since a difference of megabytes cannot be read.
      const heard = peer.values(name)
      expect(heard.map((value, index) => value === values[index])).toEqual(values.map(() => true))
    },
  },
  {
    title: 'a small message published beside large ones keeps its place',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const name = channel()
      const values = [textOfSize(mebibyte), 'between', textOfSize(300_000, '€'), 'last']
      await listener.backend.subscribe(name)
      await Promise.all(values.map((value) => publisher.publish(name, value)))
      await listener.arrived(name, values.length)
      expect(listener.values(name).map((value) => values.indexOf(String(value)))).toEqual([0, 1, 2, 3])
    },
  },
  {
    title: 'channel names of 1 to 255 bytes work',
    async run({ open, channel, until }) {
      const [publisher, listener] = [await open(), await open()]
      const identity = channel()
      const names = [
        // A name of one byte cannot be this case's own, so the message must be.
        'c',
        ...[62, 63, 64, 65, 200, 254, 255].map((bytes) => nameOfSize(bytes, identity)),
        ...[63, 64, 255].flatMap((bytes) =>
          ['é', '€', '😀'].map((letter) => nameOfSize(bytes, identity, letter)),
        ),
      ]
      await Promise.all(names.map((name) => listener.backend.subscribe(name)))
      await Promise.all(names.map((name, index) => publisher.publish(name, { identity, index })))
      for (const [index, name] of names.entries()) {
        await listener.arrived(name, 1)
        const isOwn = (value: unknown): boolean => isDeepStrictEqual(value, { identity, index })
        await until(() => listener.values(name).some(isOwn), `the message on ${name}`)
      }
    },
  },
  {
    title: 'channel names may hold any character but NUL, and mean nothing but themselves',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const identity = channel()
      const names = [
        ...`" "" ' \` \\ \\\\ ; -- /* $1 % %s {} : . / * ? [a-z] ^ __keyspace@0__:`.split(' '),
        ...'é e\u0301 İ ß 你好 😀 👩🏽‍🚀 \u2028 \ufeff Case case CASE'.split(' '),
        ...'  |   |\t|\n|\r\n|\u0001|select 1'.split('|'),
      ].flatMap((characters) => [`${identity}${characters}`, `${characters}${identity}`])
      await Promise.all(names.map((name) => listener.backend.subscribe(name)))
      await Promise.all(names.map((name) => publisher.publish(name, name)))
      await Promise.all(names.map((name) => publisher.publish(name, 'end')))
      for (const name of names) expect(await listener.arrived(name, 2)).toEqual([name, 'end'])
    },
  },
  {
    title: 'two names that differ only in the last of 101 characters are two channels',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const common = channel().padEnd(100, 'n')
      const [first, second, third] = [`${common}1`, `${common}2`, common] as const
      await listener.backend.subscribe(first)
      await publisher.publish(second, 'second')
      await publisher.publish(third, 'third')
      await publisher.publish(first, 'first')
      await listener.backend.subscribe(second)
      await publisher.publish(second, 'second again')
      expect(await listener.arrived(second, 1)).toEqual(['second again'])
      expect(await listener.arrived(first, 1)).toEqual(['first'])
    },
  },
  {
    title: '1,000 channels are subscribed at once, heard, and let go',
    async run({ open, channel }) {
      const [publisher, listener] = [await open(), await open()]
      const names = Array.from({ length: 1_000 }, () => channel())
      await Promise.all(names.map((name) => listener.backend.subscribe(name)))
      await Promise.all(names.map((name) => publisher.publish(name, name)))
      for (const name of names) expect(await listener.arrived(name, 1)).toEqual([name])
      await Promise.all(names.map((name) => listener.backend.unsubscribe(name)))
    },
  },
]
