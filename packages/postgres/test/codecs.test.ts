import { propertyRuns } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { asciiJson } from '../src/ascii-json.js'
import { maxPages, takeBatch } from '../src/batch.js'
import { copyMark, createDistinctPayloads, withoutMark } from '../src/distinct-payloads.js'
import { createPartReader, escapePart, splitIntoParts, unescapePart } from '../src/parts.js'
import { physicalChannel, quoteChannel } from '../src/physical-channel.js'

fc.configureGlobal(propertyRuns)

const text = fc.string({ unit: 'grapheme' })
/** JSON texts as a client publishes them, some of which look like a part. */
const json = fc.oneof(
  fc.json(),
  text.map((value) => JSON.stringify(value)),
  fc.json().map((value) => `{"$ps.part":${value}}`),
  fc
    .tuple(text, fc.nat(9), fc.nat(9))
    .map(([id, index, count]) => JSON.stringify({ '$ps.part': [id, index, count], data: 'MQ==' })),
)
const longJson = fc
  .tuple(text, fc.integer({ min: 0, max: 60_000 }))
  .map(([value, length]) => JSON.stringify(`${value}é`.repeat(1 + length / (value.length + 1))))

interface Read {
  readonly payloads: string[]
  readonly invalid: string[]
}

const readAll = (notifications: readonly (readonly [string, string])[], maxBytes = 10_000_000): Read => {
  const read: Read = { payloads: [], invalid: [] }
  const reader = createPartReader(maxBytes, {
    payload: (channel, payload) => void read.payloads.push(`${channel} ${payload}`),
    invalid: (channel, reason) => void read.invalid.push(`${channel} ${reason}`),
  })
  for (const [channel, payload] of notifications) reader(channel, withoutMark(payload))
  return read
}

test('what is put into batches comes out of them, whatever the messages, in order', () => {
  const message = fc.record({
    channel: fc.constantFrom('a', 'b', 'ü'.repeat(40)),
    payload: fc.oneof(json, longJson, fc.constant('1')),
  })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), fc.boolean(), (messages, unicode) => {
      const waiting = [...messages]
      const notifications: (readonly [string, string])[] = []
      while (waiting.length > 0) {
        const batch = takeBatch(waiting, unicode, maxPages)
        expect(batch.messages.length).toBeGreaterThan(0)
        // PostgreSQL would collapse equal ones.
        expect(new Set(batch.notifications.map((one) => one.join(' '))).size).toBe(batch.notifications.length)
        for (const [channel, payload] of batch.notifications) {
          expect(Buffer.byteLength(channel)).toBeLessThanOrEqual(63)
          expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(7_999)
          if (!unicode) expect(channel + payload).toMatch(/^[\0-\x7f]*$/)
        }
        notifications.push(...batch.notifications)
      }
      const { payloads, invalid } = readAll(notifications)
      expect(invalid).toEqual([])
      const parsed = (line: string): unknown => [
        line.slice(0, line.indexOf(' ')),
        JSON.parse(line.slice(line.indexOf(' '))),
      ]
      expect(payloads.map(parsed)).toEqual(
        messages.map(({ channel, payload }) => [physicalChannel(channel, unicode), JSON.parse(payload)]),
      )
      if (unicode) {
        expect(payloads).toEqual(
          messages.map(
            ({ channel, payload }) => `${physicalChannel(channel, unicode)} ${withoutMark(payload)}`,
          ),
        )
      }
    }),
  )
})

test('a batch has at most 500 notifications and 60 pages of the queue, unless one message alone takes more', () => {
  const small = Array.from({ length: 1_200 }, (_, index) => ({ channel: 'c', payload: String(index) }))
  const sizes: number[] = []
  while (small.length > 0) sizes.push(takeBatch(small, true, maxPages).messages.length)
  expect(sizes).toEqual([500, 500, 200])

  const payload = (bytes: number): { channel: string; payload: string } => ({
    channel: 'c',
    payload: JSON.stringify('x'.repeat(bytes)),
  })
  const mixed = [payload(450_000), payload(50_000), payload(50_000), payload(1_000_000), payload(10)]
  const counts: number[] = []
  while (mixed.length > 0) counts.push(takeBatch(mixed, true, maxPages).messages.length)
  expect(counts).toEqual([1, 2, 1, 1])
  expect(takeBatch([payload(1), payload(2)], true, 0).messages).toHaveLength(1)
  const pages = Array.from({ length: 100 }, () => payload(4_200))
  expect(takeBatch(pages, true, maxPages).messages).toHaveLength(60)
})

test('escaping makes every message something else than a part, keeps its JSON, and can be undone', () => {
  fc.assert(
    fc.property(json, (payload) => {
      const escaped = escapePart(payload)
      expect(escaped.startsWith('{"$ps.part":')).toBe(false)
      expect(JSON.parse(escaped)).toEqual(JSON.parse(payload))
      expect(unescapePart(escaped)).toBe(payload)
    }),
  )
})

test('a text becomes parts that are JSON, fit, and make up the same text again', () => {
  fc.assert(
    fc.property(longJson, (payload) => {
      const parts = splitIntoParts(payload)
      for (const [index, part] of parts.entries()) {
        expect(Buffer.byteLength(part)).toBeLessThanOrEqual(7_999)
        expect(JSON.parse(part)).toEqual({
          '$ps.part': [expect.stringMatching(/^[\w-]{12}$/), index, parts.length],
          data: expect.any(String),
        })
      }
      expect(readAll(parts.map((part) => ['c', part] as const))).toEqual({
        payloads: [`c ${payload}`],
        invalid: [],
      })
    }),
  )
  expect(splitIntoParts('x'.repeat(1_048_576))).toHaveLength(176)
})

test('whatever a foreign program sends, the reader never throws and never holds more than one message', () => {
  const parts = fc
    .tuple(longJson, fc.constantFrom('a', 'b'))
    .map(([payload, channel]) => splitIntoParts(payload).map((part) => [channel, part] as const))
  const noise = fc.tuple(fc.constantFrom('a', 'b'), fc.oneof(text, json)).map((one) => [one])
  fc.assert(
    fc.property(fc.array(fc.oneof(parts, noise)), fc.array(fc.nat()), (groups, dropped) => {
      const sent = groups.flat().filter((_, index) => !dropped.includes(index))
      const { payloads, invalid } = readAll(sent, 20_000)
      expect(payloads.length + invalid.length).toBeLessThanOrEqual(sent.length)
    }),
  )
})

test('a message that was interrupted is reported once, however much of it still comes', () => {
  const [first = '', second = '', third = ''] = splitIntoParts(JSON.stringify('x'.repeat(15_000)))
  expect(
    readAll([
      ['c', first],
      ['c', '1'],
      ['c', second],
      ['c', third],
    ]),
  ).toEqual({
    payloads: ['c 1'],
    invalid: ['c a message in parts broke off'],
  })
  expect(
    readAll([
      ['c', first],
      ['d', second],
      ['c', third],
    ]).payloads,
  ).toEqual([])
  expect(
    readAll([
      ['c', first],
      ['c', first],
      ['c', second],
      ['c', third],
    ]).payloads,
  ).toHaveLength(1)
})

test('the marks of copies are all different, are JSON whitespace, and grow with the logarithm', () => {
  const marks = Array.from({ length: 5_000 }, (_, copy) => copyMark(copy))
  expect(new Set(marks).size).toBe(marks.length)
  expect(marks.slice(0, 7)).toEqual(['', ' ', '\t', '\n', '\r', '  ', ' \t'])
  for (const mark of marks) expect(JSON.parse(`1${mark}`)).toBe(1)
  expect(marks.at(-1)?.length).toBe(6)
})

test('copies stay apart even from payloads that end in whitespace of their own', () => {
  const payload = fc
    .tuple(fc.constantFrom('1', '2'), fc.integer({ min: 0, max: 6 }))
    .map(([value, copy]) => value + copyMark(copy))
  fc.assert(
    fc.property(fc.array(payload, { maxLength: 60 }), (payloads) => {
      const distinct = createDistinctPayloads()
      const sent = payloads.map((one) => distinct('c', one))
      expect(new Set(sent).size).toBe(sent.length)
      expect(sent.map((one) => withoutMark(one ?? ''))).toEqual(payloads.map(withoutMark))
    }),
  )
})

test('a copy that has no room for its mark is left for the next transaction', () => {
  const distinct = createDistinctPayloads()
  const full = 'x'.repeat(7_999)
  const almost = 'x'.repeat(7_998)
  expect([distinct('c', full), distinct('c', full)]).toEqual([full, undefined])
  expect(Array.from({ length: 6 }, () => distinct('c', almost)?.slice(7_998))).toEqual([
    '',
    ' ',
    '\t',
    '\n',
    '\r',
    undefined,
  ])
})

test('ASCII JSON is ASCII, and the same JSON', () => {
  fc.assert(
    fc.property(json, (payload) => {
      const ascii = asciiJson(payload)
      expect(ascii).toMatch(/^[\0-\x7f]*$/)
      expect(JSON.parse(ascii)).toEqual(JSON.parse(payload))
    }),
  )
})

test('a physical channel fits PostgreSQL, is the channel itself where that fits, and differs for different channels', () => {
  const channel = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 })
  fc.assert(
    fc.property(channel, channel, fc.boolean(), (one, other, unicode) => {
      const physical = physicalChannel(one, unicode)
      expect(Buffer.byteLength(physical)).toBeLessThanOrEqual(63)
      if (one !== other) expect(physical).not.toBe(physicalChannel(other, unicode))
      if (/^[\x20-\x7e]{1,63}$/.test(one)) expect(physical).toBe(one)
      expect(quoteChannel(physical).slice(1, -1).replaceAll('""', '"')).toBe(physical)
    }),
  )
  // What another program must compute.
  expect(physicalChannel('x'.repeat(64), true)).toBe('$ps.fOEAlx9k5wAej-WlGXPs3-HO1Cvv5-6NX9YhlQa1OTw')
})
