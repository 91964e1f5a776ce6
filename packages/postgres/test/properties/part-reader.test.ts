import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { propertyRuns, waitFor } from '@ps/services/vitest'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { withoutMark } from '../../src/distinct-payloads.js'
import { createPartReader, splitIntoParts, unescapePart } from '../../src/parts.js'
import { jsonText } from './json-text.js'

fc.configureGlobal(propertyRuns)

/** What a foreign program sent: a part by its fields, or any text that is none. */
type Sent =
  | {
      readonly channel: string
      readonly id: string
      readonly index: number
      readonly count: number
      readonly bytes: Uint8Array
    }
  | { readonly channel: string; readonly text: string }

interface Told {
  readonly messages: (readonly [channel: string, payload: string])[]
  readonly invalid: string[]
}

const maxBytes = 64

const part = (id: string, index: number, count: number, data: string): string =>
  `{"$ps.part":["${id}",${index},${count}],"data":"${data}"}`

const wire = (sent: Sent): string =>
  'text' in sent
    ? sent.text
    : part(sent.id, sent.index, sent.count, Buffer.from(sent.bytes).toString('base64'))

const readAll = (notifications: Iterable<readonly [string, string]>, limit = maxBytes): Told => {
  const told: Told = { messages: [], invalid: [] }
  const read = createPartReader(limit, {
    payload: (channel, payload) => void told.messages.push([channel, payload]),
    invalid: (channel) => void told.invalid.push(channel),
  })
  for (const [channel, payload] of notifications) read(channel, withoutMark(payload))
  return told
}

/** The rule of the wire format, found by looking ahead: a message is all of its parts, one directly after the other. */
function expected(sent: readonly Sent[]): Told['messages'] {
  const messages: (readonly [string, string])[] = []
  for (const [start, first] of sent.entries()) {
    if ('text' in first) {
      messages.push([first.channel, unescapePart(withoutMark(first.text))])
      continue
    }
    if (first.index !== 0) continue
    const run = sent.slice(start, start + Math.min(first.count, sent.length))
    const whole =
      run.length === first.count &&
      run.every(
        (one, index) =>
          !('text' in one) &&
          one.channel === first.channel &&
          one.id === first.id &&
          one.count === first.count &&
          one.index === index,
      )
    const bytes = Buffer.concat(run.flatMap((one) => ('text' in one ? [] : [one.bytes])))
    if (!whole || bytes.length > maxBytes) continue
    const text = bytes.toString()
    if (Buffer.from(text).equals(bytes)) messages.push([first.channel, text])
  }
  return messages
}

const channel = fc.constantFrom('c', 'd')
const index = fc.oneof({ arbitrary: fc.nat(3), weight: 9 }, { arbitrary: fc.maxSafeNat(), weight: 1 })
const anyPart = fc
  .record({
    channel,
    id: fc.constantFrom('a', 'b'),
    index,
    count: fc.oneof(
      { arbitrary: fc.integer({ min: 1, max: 4 }), weight: 9 },
      { arbitrary: fc.maxSafeNat(), weight: 1 },
    ),
    bytes: fc.oneof(
      fc.constantFrom('1', 'é', '\uFEFF', '{"$ps.part":').map((text) => Buffer.from(text)),
      // Halves of characters, and what is no UTF-8 at all.
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.integer({ min: 20, max: maxBytes + 6 }).map((length) => Buffer.from('x'.repeat(length))),
    ),
  })
  .filter((one) => one.index < one.count)
/** The parts of one message, most of which are then sent as they should be. */
const wholeMessage = fc
  .tuple(
    channel,
    fc.constantFrom('a', 'b'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 16 }),
    fc.integer({ min: 1, max: 5 }),
  )
  .map(([on, id, text, size]) => {
    const bytes = Buffer.from(text)
    const count = Math.ceil(bytes.length / size)
    return Array.from({ length: count }, (_, at) => ({
      channel: on,
      id,
      index: at,
      count,
      bytes: bytes.subarray(at * size, (at + 1) * size),
    }))
  })
const noise = fc.record({
  channel,
  text: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      '',
      '{"$ps.part":',
      '{ "$ps.part":["a",0,1],"data":"MQ=="}',
      ' {"$ps.part":["a",0,1],"data":"MQ=="}',
      part('a', 1, 1, 'MQ=='),
      part('a', -1, 1, 'MQ=='),
      part('a', 0, 0, 'MQ=='),
      part('a', 0.5, 2, 'MQ=='),
      part('a', 1e21, 1e22, 'MQ=='),
      part('', 0, 1, 'MQ=='),
      part('a', 0, 1, ''),
      part('a', 0, 1, 'MQ'),
      part('a', 0, 1, 'M==='),
      part('a', 0, 1, 'M=Q='),
      part('a', 0, 1, '_-8='),
      part('a', 0, 1, 'MQ==\\n'),
      '{"$ps.part":["a",0,1],"data":["MQ=="]}',
      '{"$ps.part":["a",0],"data":"MQ=="}',
      '{"$ps.part":["a","0",1],"data":"MQ=="}',
      '{"$ps.part":{"0":"a","1":0,"2":1,"length":3},"data":"MQ=="}',
      '{"$ps.part":["a",0,1],"__proto__":1,"data":"MQ=="}',
      '{"$ps.part":null,"data":null}',
      `{"$ps.part":${'['.repeat(3_000)}${']'.repeat(3_000)},"data":"MQ=="}`,
    ),
  ),
})

test('of whatever is sent, exactly the parts that follow one another directly become messages', () => {
  const groups = fc.oneof(
    wholeMessage,
    noise.map((one) => [one]),
    anyPart.map((one) => [one]),
    // Cut short, begun late, repeated or in another order.
    fc
      .tuple(wholeMessage, fc.nat(), fc.nat())
      .map(([parts, from, to]) => parts.slice(from % parts.length, to % parts.length)),
    wholeMessage.map((parts) => parts.flatMap((one) => [one, one])),
    wholeMessage.map((parts) => parts.toReversed()),
    wholeMessage.map((parts) => parts.map((one) => ({ ...one, count: one.count + 1 }))),
  )
  fc.assert(
    fc.property(fc.array<Sent[]>(groups, { maxLength: 12 }), (sequence) => {
      const sent = sequence.flat()
      const { messages } = readAll(sent.map((one) => [one.channel, wire(one)]))
      expect(messages).toEqual(expected(sent))
    }),
    { numRuns: 30_000 },
  )
})

test('parts of many publishers that interleave hurt no message that comes whole', () => {
  const parts = fc.tuple(fc.nat(20), fc.nat(9)).map(
    ([publisher, at]): Sent => ({
      channel: 'c',
      id: `p${publisher}`,
      index: at,
      count: 10,
      bytes: Buffer.from('"'),
    }),
  )
  fc.assert(
    fc.property(
      fc.array(fc.array(parts, { maxLength: 20 }), { maxLength: 10 }),
      jsonText(30_000),
      (rounds, payload) => {
        const { messages } = readAll(
          rounds.flatMap((round) => [
            ...round.map((one) => [one.channel, wire(one)] as const),
            ...splitIntoParts(payload).map((one) => ['c', one] as const),
          ]),
          100_000,
        )
        expect(messages.length).toBe(rounds.length)
        expect(messages.every(([, text]) => text === payload)).toBe(true)
      },
    ),
    { numRuns: 1_000 },
  )
})

test('parts with any bytes changed, added or cut off never throw, and the next message is heard', () => {
  const damage = fc.record({
    at: fc.nat(),
    removed: fc.nat(40),
    inserted: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.constantFrom('"', ']', '=', '0', '-', ',1'),
    ),
  })
  fc.assert(
    fc.property(
      jsonText(30_000),
      fc.array(fc.tuple(fc.nat(), damage), { maxLength: 5 }),
      (payload, damages) => {
        const parts = splitIntoParts(payload)
        for (const [which, { at, removed, inserted }] of damages) {
          const damaged = parts[which % parts.length] ?? ''
          // Where it hurts: in the envelope.
          const from = at % Math.min(60, damaged.length + 1)
          parts[which % parts.length] = damaged.slice(0, from) + inserted + damaged.slice(from + removed)
        }
        const next = splitIntoParts('"the next one"'.padEnd(9_000))
        const { messages } = readAll(
          [...parts, ...next].map((one) => ['c', one]),
          100_000,
        )
        expect(messages.at(-1)?.[1].trim()).toBe('"the next one"')
      },
    ),
    { numRuns: 10_000 },
  )
})

test('every message that breaks off is reported, also where a publisher gives all of them the same id', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('c', 'd'), { minLength: 1, maxLength: 9 }), (channels) => {
      const { messages, invalid } = readAll(
        channels.flatMap((on) => [[on, part('same', 0, 2, 'MQ==')] as const, [on, '"other"'] as const]),
      )
      expect(messages).toHaveLength(channels.length)
      expect(invalid).toEqual(channels)
    }),
  )
})

test('a message that breaks off is reported also after one with the same id has come whole', () => {
  const broken = [part('same', 0, 2, 'MQ=='), '1'] as const
  const whole = part('same', 0, 1, 'MQ==')
  expect(readAll([...broken, whole, ...broken].map((one) => ['c', one])).invalid).toEqual(['c', 'c'])
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const heldBytes = (): number => {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Waits until no more than that many bytes more than `before` are held: Node frees Buffers a little after the collection. */
const holdsLessThan = async (bytes: number, before: number): Promise<void> => {
  await waitFor(() => heldBytes() - before < bytes, { what: `less than ${bytes} bytes to be held` })
}

test('a gigabyte of parts that never become a message leaves nothing behind', async () => {
  const limit = 1_114_112
  const data = 'A'.repeat(7_900)
  let invalid = 0
  const read = createPartReader(limit, {
    payload: () => expect.unreachable('no message is whole'),
    invalid: () => {
      invalid += 1
    },
  })
  const before = heldBytes()
  for (let message = 0; message < 1_300; message += 1) {
    // The first hundred parts of a message, of a number that cannot be: neither is waited for nor is room made for it.
    for (let at = 0; at < 100; at += 1) read('c', part(`m${message}`, at, Number.MAX_SAFE_INTEGER, data))
    if (message % 100 === 0) await holdsLessThan(8 * 1_024 * 1_024, before)
  }
  expect(invalid).toBe(1_299)
})

test('what an unfinished message holds is in proportion to its bytes, however small its parts are', async () => {
  const before = heldBytes()
  let dropped = 0
  const read = createPartReader(64 * 1_024, {
    payload: () => {},
    invalid: () => {
      dropped += 1
    },
  })
  for (let at = 0; at < 20_000; at += 1) {
    read('c', part('a', at, 1_000_000, 'MQ=='))
    // What any other code of the process does meanwhile.
    Buffer.allocUnsafe(4_000)
    Buffer.allocUnsafe(4_000)
  }
  await holdsLessThan(8 * 1_024 * 1_024, before)
  // What was held until now.
  read('c', '1')
  expect(dropped).toBe(1)
})

test('the time to look at a payload is in proportion to its length, whatever whitespace it holds', () => {
  // A search that begins anew at each space would need longer than a test may run.
  const spaces = ' '.repeat(300_000)
  expect(withoutMark(`"${spaces}" `)).toBe(`"${spaces}"`)
})

test('a message whose next part does not come is given up, reported, and let go', async () => {
  const told: string[] = []
  const read = createPartReader(
    maxBytes,
    { payload: (_, payload) => told.push(payload), invalid: (_, reason) => told.push(reason) },
    10,
  )
  read('c', part('a', 0, 3, 'MQ=='))
  read('c', part('a', 1, 3, 'MQ=='))
  await waitFor(() => told.length === 1)
  read('c', part('a', 2, 3, 'MQ=='))
  read('c', '"after"')
  expect(told).toEqual(['a message in parts broke off', '"after"'])
})
