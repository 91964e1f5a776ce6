import { describe, expect, it } from 'vitest'
import { everyCut, readCsv } from './support/read-records.js'

const tricky = [
  '\uFEFFname;"said; ""so""";naïve ☃\r\n',
  'plain;"two\r\nlines";1\r\n',
  '\r\n',
  '"a ""quoted"" word";;"€ 🐧"\n',
  'too;few\r\n',
  '"three\nlines\n";"";x\r',
  'too;many;fields;here\n',
  'a "misplaced" quote;2;3\n',
  '"closed" too early;2;3\r\n',
  'é;ü;last',
].join('')

const fieldsOf = (record: readonly unknown[]) => record.join(' | ')

describe('a CSV file', () => {
  it('is read the same wherever its bytes are cut', async () => {
    const whole = await readCsv([tricky])
    expect(whole.columns).toEqual(['name', 'said; "so"', 'naïve ☃'])
    expect(whole.rows).toEqual([
      ['plain', 'two\r\nlines', '1'],
      ['a "quoted" word', null, '€ 🐧'],
      ['three\nlines\n', null, 'x'],
      ['é', 'ü', 'last'],
    ])
    expect(whole.rejected).toEqual([
      { line: 6, reason: 'has 2 fields, the header has 3', text: 'too;few' },
      { line: 10, reason: 'has 4 fields, the header has 3', text: 'too;many;fields;here' },
      {
        line: 11,
        reason: 'has a quote inside a field that does not begin with one',
        text: 'a "misplaced" quote;2;3',
      },
      {
        line: 12,
        reason:
          'has a quote that is not closed, or text behind a closing quote (inside quotes a quote is written "")',
        text: '"closed" too early;2;3',
      },
    ])
    for (const chunks of everyCut(tricky)) expect(await readCsv(chunks)).toEqual(whole)
  })

  it('is read as it was written, whatever its cells hold', async () => {
    const random = createRandom(20)
    const pieces = ['a', '"', ',', '\n', '\r\n', '\r', ' ', 'ß', '🐧', ';', '1']
    for (let round = 0; round < 300; round++) {
      const width = 2 + Math.floor(random() * 4)
      const rows = Array.from({ length: 1 + Math.floor(random() * 6) }, () =>
        Array.from({ length: width }, () =>
          Array.from(
            { length: Math.floor(random() * 5) },
            () => pieces[Math.floor(random() * pieces.length)],
          ).join(''),
        ),
      )
      const header = Array.from({ length: width }, (_, index) => `column ${index}`)
      const lineBreak = ['\n', '\r\n', '\r'][round % 3]!
      const text = [header, ...rows].map((row) => row.map(quoted).join(',')).join(lineBreak)
      const bytes = Buffer.from(text)
      const cut = Math.floor(random() * bytes.length)
      const { rows: read, rejected } = await readCsv([bytes.subarray(0, cut), bytes.subarray(cut)])
      expect(rejected).toEqual([])
      expect(read).toEqual(rows.map((row) => row.map((cell) => (cell === '' ? null : cell))))
    }
  })

  it.each([
    [',', 'a,b c;d'],
    [';', 'a;b;c,d'],
    ['\t', 'a\tb\tc,d'],
    ['|', 'a|b|c;d'],
    [',', '"a;b;c",d'],
  ])('is split at %j where the header is %j', async (delimiter, header) => {
    const { columns } = await readCsv([`${header}\n`])
    expect(columns.length).toBe(header.replaceAll(/"[^"]*"/g, '').split(delimiter).length)
    expect(columns.some((name) => name.includes(delimiter))).toBe(false)
  })

  it('counts the lines of the file, not the rows, in rejects', async () => {
    const { rejected } = await readCsv(['\n\na,b\n"1\n\n2",3\r\n\r\nx\r"\r\n\r\n",y\rz\n'])
    expect(rejected.map(({ line }) => line)).toEqual([8, 12])
  })

  it('keeps counting lines right after a line with a misplaced quote', async () => {
    const { rows, rejected } = await readCsv(['a,b\n1,"x\n2,"y",3\n4,5\n6\n7,8\n'])
    expect(rows.map(fieldsOf)).toEqual(['4 | 5', '7 | 8'])
    expect(rejected.map(({ line, text }) => [line, text])).toEqual([
      [2, '1,"x'],
      [3, '2,"y",3'],
      [5, '6'],
    ])
  })

  it('gives columns without a name, and those with the name of another, names of their own', async () => {
    const { columns } = await readCsv(['id,, id ,name,,id_2,id\n'])
    expect(columns).toEqual(['id', 'column_2', 'id_3', 'name', 'column_5', 'id_2', 'id_4'])
  })

  it('of one column takes a blank line for an empty cell', async () => {
    const { rows } = await readCsv(['\nvalue\n1\n\n2\n'])
    expect(rows).toEqual([['1'], [null], ['2']])
  })

  it('may have a header and nothing else', async () => {
    expect(await readCsv(['a,b\n'])).toEqual({ columns: ['a', 'b'], rows: [], rejected: [] })
    expect(await readCsv(['a,b'])).toEqual({ columns: ['a', 'b'], rows: [], rejected: [] })
  })

  it.each(['', '\uFEFF', '\n', '\r\n\r\n'])('with nothing in it (%j) fails as empty', async (text) => {
    await expect(readCsv([text])).rejects.toThrow('the file is empty')
  })

  it.each([
    ['a,b\n1,2\n3,"x\ny\n', 'the quote that opens on line 3 is never closed'],
    ['a,b\n"1\n2","\n\n', 'the quote that opens on line 3 is never closed'],
    ['a,b\n1,2\n"', 'the quote that opens on line 3 is never closed'],
    ['"a,b\n1,2\n', 'the quote that opens on line 1 is never closed'],
    ['a,b"c\n1,2\n', 'the header on line 1 has a quote inside a field that does not begin with one'],
  ])('with an unsound quote (%j) fails and says where it is', async (text, message) => {
    for (const chunks of everyCut(text)) await expect(readCsv(chunks)).rejects.toThrow(message)
  })

  it('with a quote open for more than 1 MiB fails and says where it opened', async () => {
    const lines = 'not the end\n'.repeat(100_000)
    await expect(readCsv([`a,b\n1,2\n"x\ny","${lines}"\n`])).rejects.toThrow(
      'the quote that opens on line 4 is not closed within 1 MiB',
    )
  })

  it('may have records of 1 MiB, and fails at a longer one', async () => {
    const longest = `1,${'x'.repeat(1024 * 1024 - 3)}\n`
    const { rows } = await readCsv([`a,b\n${longest}${longest}`])
    expect(rows.length).toBe(2)
    await expect(readCsv([`a,b\n\n${longest}2,${longest}`])).rejects.toThrow(
      'the record that begins on line 4 is longer than 1 MiB',
    )
    await expect(readCsv([`a,b\n${','.repeat(1024 * 1024 + 1)}`])).rejects.toThrow(
      'the record that begins on line 2 is longer than 1 MiB',
    )
  })

  it('may have more than 1 MiB of blank lines', async () => {
    const { rows, rejected } = await readCsv([`a,b\n${'\r\n'.repeat(1024 * 1024)}1\n`])
    expect(rows).toEqual([])
    expect(rejected).toEqual([{ line: 2 + 1024 * 1024, reason: 'has 1 field, the header has 2', text: '1' }])
  })

  it('may have 1,000 columns and no more', async () => {
    const header = (columns: number) => Array.from({ length: columns }, (_, index) => `c${index}`).join(',')
    expect((await readCsv([header(1_000)])).columns.length).toBe(1_000)
    await expect(readCsv([header(1_001)])).rejects.toThrow(
      'the header has 1001 columns: at most 1000 can be profiled',
    )
  })

  it('has the text of a long rejected row cut after 1,000 characters', async () => {
    const { rejected } = await readCsv([`a,b\n${'é'.repeat(5_000)}\n`])
    expect(rejected[0]?.text).toBe('é'.repeat(1_000))
  })
})

const quoted = (cell: string): string => (/["\r\n,;]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)

/** The same numbers from 0 to 1 in every run. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
