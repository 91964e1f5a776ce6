import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createReplyReader, type Reply } from '../src/reply-reader.js'

const readAll = (chunks: readonly Buffer[]): (Reply | string)[] => {
  const read: (Reply | string)[] = []
  const take = createReplyReader((reply) =>
    read.push(reply instanceof Error ? `${reply.name}: ${reply.message}` : reply),
  )
  for (const chunk of chunks) take(chunk)
  return read
}

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`

it.each<[string, Reply | string]>([
  [':0\r\n', 0],
  [':12345678901\r\n', 12_345_678_901],
  [':-5\r\n', -5],
  ['+PONG\r\n', 'PONG'],
  ['-NOPERM no right\r\n', 'ReplyError: NOPERM no right'],
  [bulk('two\r\nlines, é'), 'two\r\nlines, é'],
  ['$-1\r\n', null],
  ['_\r\n', null],
  ['#t\r\n', 1],
  [',1.5\r\n', 1.5],
  ['=9\r\ntxt:lines\r\n', 'lines'],
  [`*3\r\n:1\r\n${bulk('')}*-1\r\n`, [1, '', null]],
  ['*2\r\n-MOVED 1 a:2\r\n*0\r\n', ['MOVED 1 a:2', []]],
  [`%1\r\n${bulk('key')}:7\r\n`, ['key', 7]],
])('reads %j', (bytes, expected) => {
  expect(readAll([Buffer.from(bytes)])).toEqual([expected])
})

it('what is no answer throws, and says what came', () => {
  expect(() => readAll([Buffer.from('HTTP/1.1 400 Bad Request\r\n')])).toThrow(/no answer of Redis: "TTP/)
})

const reply = fc.oneof(
  fc.nat().map((number): [string, Reply] => [`:${number}\r\n`, number]),
  fc.string({ unit: 'binary' }).map((text): [string, Reply] => {
    const whole = text.toWellFormed()
    return [bulk(whole), whole]
  }),
  fc
    .array(fc.nat())
    .map((list): [string, Reply] => [
      `*${list.length}\r\n${list.map((one) => `:${one}\r\n`).join('')}`,
      list,
    ]),
)

it('reads the same wherever the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(reply, { minLength: 1 }), fc.array(fc.nat(), { maxLength: 8 }), (replies, cuts) => {
      const bytes = Buffer.from(replies.map(([text]) => text).join(''))
      const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].toSorted((a, b) => a - b)
      const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
      expect(readAll(chunks)).toEqual(replies.map(([, value]) => value))
    }),
  )
})
