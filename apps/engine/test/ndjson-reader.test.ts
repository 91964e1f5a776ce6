import { describe, expect, it } from 'vitest'
import { everyCut, readNdjson } from './support/read-records.js'

describe('an NDJSON file', () => {
  it('is read the same wherever its bytes are cut', async () => {
    const text = [
      '\uFEFF{"id":1,"name":"ä 🐧","nested":{"a":[1, 2],"b":"}"}}\r\n',
      '\n',
      '{"name":null,"extra":true}\n',
      'not json\n',
      '[1,2]\n',
      '"text"\n',
      'null\n',
      '{"id":2.5}{}\n',
      '{"id":2.5,"name":"","nested":[]}',
    ].join('')
    const whole = await readNdjson([text])
    expect(whole.columns).toEqual(['id', 'name', 'nested', 'extra'])
    expect(whole.rows).toEqual([
      [1, 'ä 🐧', '{"a":[1,2],"b":"}"}'],
      [null, null, null, true],
      [2.5, '', '[]', null],
    ])
    expect(whole.rejected).toEqual([
      { line: 4, reason: 'is not valid JSON', text: 'not json' },
      { line: 5, reason: 'is an array, not an object', text: '[1,2]' },
      { line: 6, reason: 'is a string, not an object', text: '"text"' },
      { line: 7, reason: 'is null, not an object', text: 'null' },
      { line: 8, reason: 'is not valid JSON', text: '{"id":2.5}{}' },
    ])
    for (const chunks of everyCut(text)) expect(await readNdjson(chunks)).toEqual(whole)
  })

  it('keeps all digits of large integers, also of nested ones', async () => {
    const { rows } = await readNdjson([
      '{"a":9007199254740993, "b" : -123456789012345678901234567890,"c":{"x": [9007199254740993 , "1 2"]},"d":"9007199254740993","e":1e20,"\\u0066":1234567890123456}\n',
    ])
    expect(rows).toEqual([
      [
        9_007_199_254_740_993n,
        -123_456_789_012_345_678_901_234_567_890n,
        '{"x":[9007199254740993,"1 2"]}',
        '9007199254740993',
        1e20,
        1_234_567_890_123_456,
      ],
    ])
  })

  it('may have keys that objects have a meaning for', async () => {
    const { columns, rows } = await readNdjson(['{"__proto__":1,"constructor":"x","toString":{"y":2}}\n'])
    expect(columns).toEqual(['__proto__', 'constructor', 'toString'])
    expect(rows).toEqual([[1, 'x', '{"y":2}']])
  })

  it('rejects what is nested too deeply to be written again, and goes on', async () => {
    const deep = `{"a":1,"b":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    const { rows, rejected } = await readNdjson([`{"a":1}\n${deep}\n{"a":2}\n`])
    expect(rows).toEqual([[1], [2]])
    expect(rejected).toMatchObject([{ line: 2, reason: 'is nested too deeply' }])
  })

  it.each(['', '\n\n', '\uFEFF', '  \r\n'])('with nothing in it (%j) fails as empty', async (text) => {
    await expect(readNdjson([text])).rejects.toThrow('the file is empty')
  })

  it('may have lines of 1 MiB, and fails at a longer one', async () => {
    const line = `{"a":"${'x'.repeat(1024 * 1024 - 8)}"}`
    expect((await readNdjson([`${line}\n${line}`])).rows.length).toBe(2)
    await expect(readNdjson([`{}\n${line} \n`])).rejects.toThrow('line 2 is longer than 1 MiB')
  })

  it('may have 1,000 different keys and no more', async () => {
    const lines = (keys: number) => Array.from({ length: keys }, (_, index) => `{"key${index}":1}\n`).join('')
    expect((await readNdjson([lines(1_000)])).columns.length).toBe(1_000)
    await expect(readNdjson([lines(1_001)])).rejects.toThrow(
      'line 1001 has one more new key: at most 1000 columns can be profiled',
    )
  })

  it('has lines with overlong keys rejected', async () => {
    const { columns, rejected } = await readNdjson([`{"${'k'.repeat(1_001)}":1}\n{"a":1}\n`])
    expect(columns).toEqual(['a'])
    expect(rejected.map(({ line, reason }) => [line, reason])).toEqual([
      [1, 'has a key of more than 1000 characters'],
    ])
  })
})
