import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { createReplyReader, type Reply } from '../src/reply-reader.js'

const readAll = (chunks: readonly Buffer[], listens = false): unknown[] => {
  const read: unknown[] = []
  const take = createReplyReader(
    {
      reply: (reply) => read.push(reply instanceof Error ? `${reply.name}: ${reply.message}` : reply),
      push: (parts) => read.push({ push: parts }),
      message: (channel, payload) => read.push({ channel, payload }),
    },
    { listens },
  )
  for (const chunk of chunks) take(chunk)
  return read
}

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`

it.each<[string, unknown]>([
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
  [`>3\r\n${bulk('message')}${bulk('é')}${bulk('"\ufffd"')}`, { channel: 'é', payload: '"\ufffd"' }],
  [`>3\r\n${bulk('smessage')}${bulk('c')}${bulk('')}`, { channel: 'c', payload: '' }],
  [`>3\r\n${bulk('sunsubscribe')}${bulk('c')}:0\r\n`, { push: ['sunsubscribe', 'c', 0] }],
])('reads %j', (bytes, expected) => {
  expect(readAll([Buffer.from(bytes)])).toEqual([expected])
})

it('a payload that is not UTF-8 is told as such', () => {
  const head = `>3\r\n${bulk('message')}${bulk('c')}$2\r\n`
  const bytes = Buffer.concat([Buffer.from(head), Buffer.from([0x22, 0xff]), Buffer.from('\r\n')])
  expect(readAll([bytes])).toEqual([{ channel: 'c', payload: undefined }])
})

it('where a connection listens, a list may be a message', () => {
  const message = `*3\r\n${bulk('message')}${bulk('c')}${bulk('1')}`
  expect(readAll([Buffer.from(message)], true)).toEqual([{ channel: 'c', payload: '1' }])
  expect(readAll([Buffer.from(message)])).toEqual([['message', 'c', '1']])
  expect(readAll([Buffer.from(`*2\r\n${bulk('pong')}${bulk('')}`)], true)).toEqual([['pong', '']])
})

it('what is no answer throws, and says what came', () => {
  expect(() => readAll([Buffer.from('HTTP/1.1 400 Bad Request\r\n')])).toThrow(/no answer of Redis: "HTTP/)
  // Nor is it waited for that a line ends which does not.
  expect(() => readAll([Buffer.from('SSH-2.0')])).toThrow(/no answer of Redis: "SSH/)
  const endless = Array.from({ length: 100 }, () => Buffer.from('+'.repeat(1_024)))
  expect(() => readAll(endless)).toThrow(/no answer of Redis: "\+\+/)
})

it('what came with a command that is not known is not repeated', () => {
  const said = "-ERR unknown command 'AUTH', with args beginning with: 'user' 'secret' \r\n"
  expect(readAll([Buffer.from(said)])).toEqual(["ReplyError: ERR unknown command 'AUTH'"])
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
