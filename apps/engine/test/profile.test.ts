import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { JobFailure } from '../src/job-failure.js'
import type { JobProgress, RejectedRow } from '../src/job.js'
import { profile } from '../src/jobs/profile.js'
import { runJob } from '../src/run-job.js'
import { chunksOf, profileColumn, runProfile } from './support/run-profile.js'

const penguins = fileURLToPath(new URL('fixtures/penguins.csv', import.meta.url))

describe('a profile', () => {
  it('of the penguins says what is known of them', async () => {
    const { signal } = new AbortController()
    const result = await runJob(profile, createReadStream(penguins), { format: 'csv', signal })
    expect(result).toMatchObject({ rows: 344, rejected: 0, rejects: [] })
    expect(
      result.columns.map(({ name, type, nulls, distinct, min, max }) => [
        name,
        type,
        nulls,
        distinct,
        min,
        max,
      ]),
    ).toEqual([
      ['species', 'string', 0, 3, 'Adelie', 'Gentoo'],
      ['island', 'string', 0, 3, 'Biscoe', 'Torgersen'],
      ['bill_length_mm', 'number', 2, 164, 32.1, 59.6],
      ['bill_depth_mm', 'number', 2, 80, 13.1, 21.5],
      ['flipper_length_mm', 'integer', 2, 55, 172, 231],
      ['body_mass_g', 'integer', 2, 94, 2700, 6300],
      ['sex', 'string', 11, 2, 'FEMALE', 'MALE'],
    ])
    expect(result.columns[5]?.mean).toBeCloseTo(4201.754386, 6)
    expect(result.columns[6]).toEqual({
      name: 'sex',
      type: 'string',
      count: 333,
      nulls: 11,
      distinct: 2,
      distinctExact: true,
      min: 'FEMALE',
      max: 'MALE',
      mean: null,
      frequent: [
        { value: 'MALE', count: 168 },
        { value: 'FEMALE', count: 165 },
      ],
      frequentExact: true,
    })
  })

  it('of many rows has the statistics that they were made with', async () => {
    const rows = Array.from({ length: 50_000 }, (_, index) => {
      const number = index + 1
      const day = new Date(Date.UTC(2020, 0, 1 + (index % 366))).toISOString().slice(0, 10)
      return `${number},${number / 4},${index % 3 === 0},${day},${index % 7 === 0 ? '' : `"group, ${index % 5}"`}`
    })
    const result = await runProfile(`id,quarter,third,day,group\r\n${rows.join('\r\n')}\r\n`, {
      chunkBytes: 1_000,
    })
    const [id, quarter, third, day, group] = result.columns
    expect(result.rows).toBe(50_000)
    expect(id).toMatchObject({ type: 'integer', min: 1, max: 50_000, mean: 25_000.5, nulls: 0 })
    expect(id).toMatchObject({ distinct: 10_000, distinctExact: false, frequent: [], frequentExact: false })
    expect(quarter).toMatchObject({ type: 'number', min: 0.25, max: 12_500, mean: 6_250.125 })
    expect(third).toMatchObject({
      type: 'boolean',
      min: false,
      max: true,
      mean: null,
      frequent: [
        { value: 'false', count: 33_333 },
        { value: 'true', count: 16_667 },
      ],
    })
    expect(day).toMatchObject({ type: 'date', distinct: 366, min: '2020-01-01', max: '2020-12-31' })
    expect(group).toMatchObject({ type: 'string', nulls: 7_143, count: 42_857, distinct: 5, min: 'group, 0' })
  })

  it('of NDJSON takes the types that JSON has, and a missing key for a null', async () => {
    const lines = ['{"a":1,"b":"1","c":true}', '{"a":2.5,"b":"2","d":{"x":1}}', '{"a":null,"b":"","c":false}']
    const { rows, columns } = await runProfile(lines.join('\n'), { format: 'ndjson' })
    expect(rows).toBe(3)
    expect(
      columns.map(({ name, type, count, nulls, min, max, mean }) => [
        name,
        type,
        count,
        nulls,
        min,
        max,
        mean,
      ]),
    ).toEqual([
      ['a', 'number', 2, 1, 1, 2.5, 1.75],
      ['b', 'string', 3, 0, '', '2', null],
      ['c', 'boolean', 2, 1, false, true, null],
      ['d', 'string', 1, 2, '{"x":1}', '{"x":1}', null],
    ])
  })

  it('is the same for CSV and for NDJSON of the same values', async () => {
    const values = ['12', '3.5', '-1']
    const csv = await runProfile(`v\n${values.join('\n')}\n`)
    const ndjson = await runProfile(values.map((value) => `{"v":${value}}`).join('\n'), { format: 'ndjson' })
    expect(ndjson).toEqual(csv)
  })
})

describe('a column', () => {
  it.each([
    [['10', '9', '-2'], { type: 'integer', min: -2, max: 10, mean: 17 / 3 }],
    [['10', '9.5', '1e1'], { type: 'number', min: 9.5, max: 10 }],
    [['9.5', '10', '-1e-3'], { type: 'number', min: -0.001, max: 10 }],
    [['10', '9', 'x'], { type: 'string', min: '10', max: 'x', mean: null }],
    [['x', '10', '9'], { type: 'string', min: '10', max: 'x', mean: null }],
    [['9', 'a', '10'], { type: 'string', min: '10', max: 'a', mean: null }],
    [['true', '1'], { type: 'string', min: '1', max: 'true' }],
    [['TRUE', 'false'], { type: 'boolean', min: false, max: true }],
    [['2024-01-02', '2023-12-31'], { type: 'date', min: '2023-12-31', max: '2024-01-02' }],
    [['2024-01-02', '5'], { type: 'string', min: '2024-01-02', max: '5' }],
    [
      ['2024-01-01T00:30+01:00', '2024-01-01T00:00Z'],
      { type: 'datetime', min: '2024-01-01T00:30+01:00', max: '2024-01-01T00:00Z' },
    ],
    [['007', '042'], { type: 'string', min: '007', max: '042' }],
    [['\uD83D\uDC27', '\uFFFD'], { type: 'string', min: '\uD83D\uDC27', max: '\uFFFD' }],
    [['-0'], { type: 'integer', min: 0, max: 0, mean: 0 }],
  ])('with the values %j is %j, in any order', async (cells, expected) => {
    expect(await profileColumn(...cells)).toMatchObject(expected)
    expect(await profileColumn(...cells.toReversed())).toMatchObject(expected)
  })

  it('loses no digit of integers that a double cannot hold', async () => {
    const cells = ['9007199254740993', '9007199254740992', '-123456789012345678901', '9007199254740994']
    const expected = { type: 'integer', min: '-123456789012345678901', max: '9007199254740994' }
    expect(await profileColumn(...cells)).toMatchObject(expected)
    expect(await profileColumn(...cells.toReversed())).toMatchObject(expected)
    expect(await profileColumn('9007199254740993', '9007199254740992')).toMatchObject({
      min: '9007199254740992',
      max: '9007199254740993',
    })
    const { columns } = await runProfile('{"v":9007199254740993}\n{"v":1}\n', { format: 'ndjson' })
    expect(columns[0]).toMatchObject({ type: 'integer', min: 1, max: '9007199254740993' })
  })

  it('without a value is empty', async () => {
    const { columns } = await runProfile('a,b\n1,\n2,\n')
    expect(columns[1]).toEqual({
      name: 'b',
      type: 'empty',
      count: 0,
      nulls: 2,
      distinct: 0,
      distinctExact: true,
      min: null,
      max: null,
      mean: null,
      frequent: [],
      frequentExact: true,
    })
  })

  it('has an exact mean where adding up would lose digits', async () => {
    expect(
      (await profileColumn('1e16', ...Array.from({ length: 10 }, (_, index) => `1.${index}`), '-1e16')).mean,
    ).toBe(14.5 / 12)
  })

  it('keeps its mean when 10,000 different values become more', async () => {
    const cells = Array.from({ length: 30_000 }, (_, index) => String(index))
    expect(await profileColumn(...cells, ...cells)).toMatchObject({ mean: 14_999.5, min: 0, max: 29_999 })
  })
})

describe('a running profile', () => {
  it('tells every rejected row, and lists the first 1,000', async () => {
    const told: RejectedRow[] = []
    const text = `a,b\n${'1,2\n3\n'.repeat(1_500)}`
    const result = await runProfile(text, { onReject: (row) => void told.push(row) })
    expect(result).toMatchObject({ rows: 1_500, rejected: 1_500 })
    expect(result.rejects.length).toBe(1_000)
    expect(result.rejects[0]).toEqual({ line: 3, reason: 'has 1 field, the header has 2' })
    expect(told.map(({ line }) => line)).toEqual(Array.from({ length: 1_500 }, (_, index) => 3 + 2 * index))
    expect(told[0]?.text).toBe('3')
    expect(result.truncated).toBeUndefined()
  })

  it('waits for a slow taker of rejected rows', async () => {
    let taking = 0
    await runProfile('a,b\n1\n2\n3\n', {
      async onReject() {
        taking++
        expect(taking).toBe(1)
        await setImmediate()
        taking--
      },
    })
    expect(taking).toBe(0)
  })

  it('ends with the progress of the whole input', async () => {
    const seen: JobProgress[] = []
    const text = `\uFEFFa,b\n${'1,2\n3\n'.repeat(5_000)}`
    await runProfile(text, { chunkBytes: 5_000, onProgress: (progress) => seen.push(progress) })
    expect(seen.at(-1)).toEqual({ bytes: Buffer.byteLength(text), rows: 5_000, rejected: 5_000 })
    expect(seen.every(({ bytes }, index) => index === 0 || bytes >= (seen[index - 1]?.bytes ?? 0))).toBe(true)
  })

  it('tells its last progress also when it fails', async () => {
    const seen: JobProgress[] = []
    const text = `a,b\n${'1,2\n'.repeat(50_000)}\0`
    await expect(
      runProfile(text, { chunkBytes: 5_000, onProgress: (progress) => seen.push(progress) }),
    ).rejects.toBeInstanceOf(JobFailure)
    expect(seen.at(-1)?.bytes).toBe(200_000)
  })

  it('is cancelled in the middle of one large chunk', async () => {
    const cancel = new AbortController()
    const reason = new Error('not wanted any more')
    const text = Buffer.from(`a,b\n${'1,2\n'.repeat(10_000_000)}`)
    let last = 0
    const running = runProfile(text, {
      signal: cancel.signal,
      onProgress: ({ bytes }) => {
        last = bytes
      },
    })
    void setImmediate().then(() => cancel.abort(reason))
    await expect(running).rejects.toBe(reason)
    expect(last).toBeLessThan(text.length / 2)
  })

  it('is cancelled while its source brings nothing, and lets go of the source', async () => {
    const cancel = new AbortController()
    let released = false
    const input = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<Uint8Array>>(() => {}),
        async return() {
          released = true
          return { done: true as const, value: undefined }
        },
      }),
    }
    const running = runJob(profile, input, { format: 'csv', signal: cancel.signal })
    const reason = new Error('not wanted any more')
    void setImmediate().then(() => cancel.abort(reason))
    await expect(running).rejects.toBe(reason)
    expect(released).toBe(true)
  })

  it('does not begin when it has been cancelled before', async () => {
    await expect(runProfile('a\n1\n', { signal: AbortSignal.abort('too late') })).rejects.toBe('too late')
  })

  it('fails with the error of its source', async () => {
    const input = (async function* () {
      yield* chunksOf('a,b\n1,2\n', 100)
      throw new Error('the connection broke')
    })()
    const { signal } = new AbortController()
    await expect(runJob(profile, input, { format: 'csv', signal })).rejects.toThrow('the connection broke')
  })
})

describe('the result', () => {
  const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

  it('has at most 256,000 bytes: rejected rows go first', async () => {
    const header = Array.from(
      { length: 1_000 },
      (_, index) => `a column with a rather long name ${index}`,
    ).join(',')
    const row = Array.from({ length: 1_000 }, (_, index) => index).join(',')
    const result = await runProfile(`${header}\n${row}\n${'1\n'.repeat(5_000)}`)
    expect(bytesOf(result)).toBeLessThanOrEqual(256_000)
    expect(bytesOf(result)).toBeGreaterThan(255_000)
    expect(result.truncated).toBe(true)
    expect(result.columns.length).toBe(1_000)
    expect(result.columns[999]).toMatchObject({ min: 999, frequent: [{ value: '999', count: 1 }] })
    expect(result.rejects.length).toBeGreaterThan(100)
    expect(result.rejects.length).toBeLessThan(1_000)
    expect(result.rejected).toBe(5_000)
  })

  it('has long values cut, with an ellipsis and never within a character', async () => {
    const long = `${'x'.repeat(198)}🐧${'y'.repeat(500)}`
    const result = await runProfile(`a\n${long}\n`)
    expect(result.truncated).toBe(true)
    expect(result.columns[0]).toMatchObject({
      min: `${'x'.repeat(198)}…`,
      frequent: [{ value: `${'x'.repeat(198)}…`, count: 1 }],
    })
  })

  it('has at most 256,000 bytes with 1,000 columns of long names and values', async () => {
    const cells = (begin: string) =>
      Array.from({ length: 1_000 }, (_, index) => `${begin} ${index} ${'"" €'.repeat(30)}`)
    const line = (begin: string) =>
      cells(begin)
        .map((cell) => `"${cell}"`)
        .join(',')
    const result = await runProfile([line('name'), line('a'), line('b'), line('c')].join('\n'))
    expect(bytesOf(result)).toBeLessThanOrEqual(256_000)
    expect(result.truncated).toBe(true)
    expect(result.columns.length).toBeGreaterThan(800)
    expect(result.columns[0]?.name).toMatch(/^name 0 .*…$/)
  })
})
