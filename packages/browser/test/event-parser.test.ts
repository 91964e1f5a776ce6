import { describe, expect, test } from 'vitest'
import { createEventParser, type ServerSentEvent } from '../src/event-parser.js'

const parse = (pieces: readonly string[]): ServerSentEvent[] => {
  const events: ServerSentEvent[] = []
  const parser = createEventParser({ onEvent: (event) => events.push(event) })
  for (const piece of pieces) parser.push(piece)
  return events
}

describe('the parser of the event stream', () => {
  const stream = [
    '\uFEFFevent: ps.hello\r\ndata: {"channels":["jobs"]}\r\n\r\n',
    ': a comment\nid: 7\nretry: 100\ndata: first\ndata:second\ndata\n\n',
    'event: without data\n\n',
    'data: Grüße 🐧\rdata:  two spaces\r\r',
    'data: unfinished',
  ].join('')
  const expected = [
    { event: 'ps.hello', data: '{"channels":["jobs"]}' },
    { event: 'message', data: 'first\nsecond\n', id: '7' },
    { event: 'message', data: 'Grüße 🐧\n two spaces' },
  ]

  test('reads all kinds of line ends, comments, and events of several lines', () => {
    expect(parse([stream])).toEqual(expected)
  })

  test('reads the same wherever the stream is cut in two, and character by character', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) {
      expect(parse([stream.slice(0, cut), stream.slice(cut)]), `cut at ${cut}`).toEqual(expected)
    }
    expect(parse(stream.split(''))).toEqual(expected)
  })

  test('an event is there as soon as its last line is, also where lines end with a carriage return alone', () => {
    expect(parse(['data: one\r\r'])).toEqual([{ event: 'message', data: 'one' }])
    expect(parse(['data: one\r', '\ndata: two\r', '\n\r'])).toEqual([{ event: 'message', data: 'one\ntwo' }])
  })

  test('tells when to come back, where that is a whole number', () => {
    const retries: number[] = []
    const parser = createEventParser({ onEvent: () => undefined, onRetry: (time) => retries.push(time) })
    parser.push('retry: 1500\nretry: soon\nretry: -1\nretry:2000\n\n')
    expect(retries).toEqual([1500, 2000])
  })

  test('gives up on a line without end instead of keeping it', () => {
    const parser = createEventParser({ onEvent: () => undefined })
    const piece = 'x'.repeat(1_000_000)
    expect(() => {
      for (let count = 0; count < 20; count += 1) parser.push(piece)
    }).toThrow('without end')
  })
})
