import { propertyRuns } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { asciiJson } from '../../src/ascii-json.js'
import { maxPages, type Message, takeBatch } from '../../src/batch.js'
import { copyMark, createDistinctPayloads, withoutMark } from '../../src/distinct-payloads.js'
import { createPartReader, splitIntoParts } from '../../src/parts.js'
import { physicalChannel, quoteChannel } from '../../src/physical-channel.js'
import { channelName, jsonText, meaning } from './json-text.js'

fc.configureGlobal(propertyRuns)

const maxBytes = 1_024 * 1_024
const ascii = /^[\0-\x7f]*$/

type Notification = readonly [channel: string, payload: string]

const read = (notifications: readonly Notification[]): Notification[] => {
  const messages: Notification[] = []
  const reader = createPartReader(maxBytes, {
    payload: (channel, payload) => void messages.push([channel, payload]),
    invalid: (channel, reason) => expect.unreachable(`${channel}: ${reason}`),
  })
  for (const [channel, payload] of notifications) reader(channel, withoutMark(payload))
  return messages
}

/** All transactions that a queue of messages becomes. */
const transactions = (messages: readonly Message[], unicode: boolean): (readonly Notification[])[] => {
  const waiting = [...messages]
  const batches: (readonly Notification[])[] = []
  while (waiting.length > 0) batches.push(takeBatch(waiting, unicode, maxPages).notifications)
  return batches
}

test('messages of any content and size come out of the parts and transactions that they became', () => {
  // Also such as a program writes that puts whitespace of its own where a mark would be.
  const spaced = fc.tuple(fc.constantFrom('1', '2'), fc.nat(6)).map(([text, copy]) => text + copyMark(copy))
  const payload = fc.oneof({ arbitrary: jsonText(maxBytes), weight: 3 }, { arbitrary: spaced, weight: 1 })
  const message = fc.record({ channel: fc.constantFrom('a', 'b'), payload })
  const withCopies = fc
    .tuple(fc.array(message, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }))
    .map(([messages, copies]) => [
      ...messages,
      ...copies.flatMap((index) => messages[index % messages.length] ?? []),
    ])
  fc.assert(
    fc.property(withCopies, fc.boolean(), (messages, unicode) => {
      const batches = transactions(messages, unicode)
      for (const batch of batches) {
        const wire = batch.map(([channel, payload]) => `${channel} ${payload}`)
        expect(new Set(wire).size).toBe(wire.length)
        for (const [, payload] of batch) {
          expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(7_999)
          // One assertion a character would take seconds.
          if (!unicode && !ascii.test(payload)) expect(payload).toMatch(ascii)
          JSON.parse(payload)
        }
      }
      const received = read(batches.flat())
      expect(received.map(([channel]) => channel)).toEqual(messages.map(({ channel }) => channel))
      for (const [index, [, payload]] of received.entries()) {
        const sent = withoutMark(messages[index]?.payload ?? '')
        // Whoever compares texts gets the very one, whoever parses the same value.
        if (unicode) expect(payload === sent).toBe(true)
        else expect(meaning(payload) === meaning(sent)).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

test('every part is JSON of at most 7,999 bytes in any encoding, and all are needed', () => {
  fc.assert(
    fc.property(jsonText(maxBytes), (payload) => {
      const parts = splitIntoParts(payload)
      const bytes = parts.map((part, index) => {
        expect(part.length).toBeLessThanOrEqual(7_999)
        expect(ascii.test(part)).toBe(true)
        const { '$ps.part': position, data } = JSON.parse(part) as { '$ps.part': unknown[]; data: string }
        expect(position.slice(1)).toEqual([index, parts.length])
        return Buffer.from(data, 'base64')
      })
      expect(bytes.every(({ length }) => length > 0)).toBe(true)
      expect(Buffer.concat(bytes).equals(Buffer.from(payload))).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('equal messages get marks that differ and that a reader takes off without a trace', () => {
  fc.assert(
    fc.property(jsonText(30_000), fc.integer({ min: 2, max: 400 }), (payload, copies) => {
      const messages = Array.from({ length: copies }, () => ({ channel: 'c', payload }))
      const batches = transactions(messages, true)
      for (const batch of batches) expect(new Set(batch.map(([, text]) => text)).size).toBe(batch.length)
      expect(read(batches.flat()).every(([, text]) => text === payload)).toBe(true)
      expect(read(batches.flat())).toHaveLength(copies)
    }),
  )
})

test('a mark is undone exactly, whatever the message and the number of its copy', () => {
  fc.assert(
    fc.property(jsonText(30_000), fc.nat(1_000_000), (payload, copy) => {
      const marked = payload + copyMark(copy)
      expect(withoutMark(marked) === payload).toBe(true)
      expect(meaning(marked) === meaning(payload)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(fc.nat(10_000_000), fc.nat(10_000_000), (one, other) => {
      fc.pre(one !== other)
      expect(copyMark(one)).not.toBe(copyMark(other))
    }),
    { numRuns: 10_000 },
  )
})

test('a text keeps every character but whitespace of JSON at its end', () => {
  const end = fc.constantFrom('\u00a0', '\v', '\f', '\uFEFF', '\u2028', '\0', '1', '"')
  const whitespace = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 9 })
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), whitespace, end, whitespace, (text, within, last, after) => {
      expect(withoutMark(text + within + last + after)).toBe(text + within + last)
    }),
    { numRuns: 2_000 },
  )
})

test('copies on one channel say nothing of another channel', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 60 }), (channels) => {
      const distinct = createDistinctPayloads()
      const counts = new Map<string, number>()
      for (const channel of channels) {
        const copy = counts.get(channel) ?? 0
        expect(distinct(channel, '1')).toBe(`1${copyMark(copy)}`)
        counts.set(channel, copy + 1)
      }
    }),
  )
})

test('ASCII JSON is ASCII and means the same', () => {
  fc.assert(
    fc.property(jsonText(maxBytes), (payload) => {
      const escaped = asciiJson(payload)
      expect(ascii.test(escaped)).toBe(true)
      expect(meaning(escaped) === meaning(payload)).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})

test('every channel travels under a name of its own that PostgreSQL can carry', () => {
  fc.assert(
    fc.property(channelName, channelName, fc.boolean(), (channel, other, unicode) => {
      const physical = physicalChannel(channel, unicode)
      expect(Buffer.byteLength(physical)).toBeLessThanOrEqual(63)
      expect(quoteChannel(physical).slice(1, -1).replaceAll('""', '')).not.toContain('"')
      if (!unicode) expect(physical).toMatch(ascii)
      // No name that a client accepts begins with $ps: what is hashed is never taken for what is not.
      const hashed = Buffer.byteLength(channel) > 63 || !(unicode || ascii.test(channel))
      expect(physical).toEqual(hashed ? expect.stringMatching(/^\$ps\.[\w-]{43}$/) : channel)
      if (other !== channel) expect(physicalChannel(other, unicode)).not.toBe(physical)
    }),
    { numRuns: 20_000 },
  )
})
