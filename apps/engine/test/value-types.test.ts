import { describe, expect, it } from 'vitest'
import { typeOfJson, typeOfText } from '../src/profile/value-types.js'

describe('the type of a text', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['42', 42],
    ['-7', -7],
    ['  12\t', 12],
    ['9007199254740993', 9_007_199_254_740_992],
  ])('is integer for %j', (text, order) => {
    expect(typeOfText(text)).toEqual({ type: 'integer', order })
  })

  it.each([
    ['0.5', 0.5],
    ['.5', 0.5],
    ['-.5', -0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['-6.02E+23', -6.02e23],
    ['1e-400', 0],
    ['0.0', 0],
  ])('is number for %j', (text, order) => {
    expect(typeOfText(text)).toEqual({ type: 'number', order })
  })

  it.each([
    ['true', 1],
    ['False', 0],
    ['TRUE', 1],
  ])('is boolean for %j', (text, order) => {
    expect(typeOfText(text)).toEqual({ type: 'boolean', order })
  })

  it.each(['2024-02-29', '2000-02-29', '0001-01-01', '1969-12-31', '9999-12-31'])(
    'is date for %j',
    (text) => {
      expect(typeOfText(text)).toEqual({ type: 'date', order: Date.parse(`${text}T00:00:00Z`) })
    },
  )

  it.each([
    ['2024-02-29T12:30', '2024-02-29T12:30:00Z'],
    ['2024-02-29 12:30:15', '2024-02-29T12:30:15Z'],
    ['2024-02-29T12:30:15.25Z', '2024-02-29T12:30:15.250Z'],
    ['2024-02-29T12:30:15+01:30', '2024-02-29T11:00:15Z'],
    ['2024-02-29 23:30:15.123456-0230', '2024-03-01T02:00:15.123Z'],
    ['2024-02-29T12:30-02', '2024-02-29T14:30:00Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z'],
  ])('is datetime for %j, in order of time', (text, same) => {
    const { type, order } = typeOfText(text)
    expect(type).toBe('datetime')
    expect(Math.trunc(order)).toBe(Date.parse(same))
  })

  it.each([
    '007',
    '00.5',
    '-01',
    '+49',
    '0x1f',
    '1,000',
    '1_000',
    '12abc',
    '1e',
    '1e+',
    '.',
    '-',
    '-.',
    'e5',
    'NaN',
    'Infinity',
    '1e999',
    `1${'0'.repeat(400)}`,
    'tRUE',
    'yes',
    ' ',
    '2023-02-29',
    '1900-02-29',
    '2024-13-01',
    '2024-00-10',
    '2024-04-31',
    '2024-1-1',
    '01/02/2024',
    '2024-01-01T24:00',
    '2024-01-01T12:60',
    '2024-01-01T12:30:61',
    '2024-01-01T12:30+24:00',
    '2024-01-01T12:30+01:60',
    '2024-01-01Z',
    '2024-01-01T',
    '٣',
  ])('is string for %j', (text) => {
    expect(typeOfText(text).type).toBe('string')
  })
})

describe('the type of a JSON value', () => {
  it.each([
    [5, 'integer'],
    [5.5, 'number'],
    [2n ** 70n, 'integer'],
    [10n ** 400n, 'string'],
    [Number.POSITIVE_INFINITY, 'string'],
    [true, 'boolean'],
    ['5', 'string'],
    ['true', 'string'],
    ['2024-01-01', 'date'],
  ])('of %s is %s', (value, type) => {
    expect(typeOfJson(value).type).toBe(type)
  })
})
