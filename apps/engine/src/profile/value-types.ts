import type { Cell } from './record-reader.js'

/** What one value is. */
export type ValueType = 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'string'

/** A value that is there. */
export type Value = Exclude<Cell, null>

/** The type of a value, with what it is ordered by. */
export interface TypedValue {
  readonly type: ValueType
  /** The number; 0 or 1 for false and true; the milliseconds since 1970 of a date; NaN for a string. */
  readonly order: number
}

/** What every string is that is nothing else. */
export const anyString: TypedValue = { type: 'string', order: Number.NaN }

const zero = 48
const nine = 57
const dateTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(\.\d{1,9})?)?(?:[Zz]|([+-]\d\d)(?::?(\d\d))?)?)?$/

/**
 * What a piece of text without a type of its own (a CSV cell) is. White space around it does not matter.
 *
 * - integer, number: `12`, `-3`, `0.5`, `.5`, `6.02e23`, with a `.` and without grouping. Not `007`, `+49`, `0x1f`
 *   (identifiers rather than quantities), `NaN`, or what a double cannot hold (`1e999`): these are strings.
 * - boolean: `true`, `false`, also `True` and `TRUE`.
 * - date, datetime: ISO 8601, `2024-02-29`, `2024-02-29T12:30:00.5+01:00`, and with a space for the `T`. Without an
 *   offset it counts as UTC. What the calendar does not have (`2023-02-29`) is a string.
 */
export function typeOfText(value: Value): TypedValue {
  if (typeof value !== 'string') return typeOfJson(value)
  const text =
    isSpace(value.charCodeAt(0)) || isSpace(value.charCodeAt(value.length - 1)) ? value.trim() : value
  const type = numberType(text)
  if (type !== undefined) {
    const order = Number(text)
    return Number.isFinite(order) ? { type, order } : anyString
  }
  return typeOfBoolean(text) ?? typeOfTime(text) ?? anyString
}

/** What a JSON value is: its own type, except that a string may hold a date. */
export function typeOfJson(value: Value): TypedValue {
  switch (typeof value) {
    case 'number':
      // What a double cannot hold (1e999) has become infinite in parsing.
      if (!Number.isFinite(value)) return anyString
      return { type: Number.isInteger(value) ? 'integer' : 'number', order: value }
    case 'bigint':
      return Number.isFinite(Number(value)) ? { type: 'integer', order: Number(value) } : anyString
    case 'boolean':
      return { type: 'boolean', order: Number(value) }
    default:
      return typeOfTime(value) ?? anyString
  }
}

const isSpace = (code: number): boolean => code === 32 || code === 9

const isDigit = (code: number): boolean => code >= zero && code <= nine

// By character codes, since this runs for every new value: a regular expression takes several times as long.
function numberType(text: string): 'integer' | 'number' | undefined {
  const begin = text.charCodeAt(0) === 45 ? 1 : 0
  let index = begin
  while (isDigit(text.charCodeAt(index))) index++
  const digits = index - begin
  if (digits > 1 && text.charCodeAt(begin) === zero) return undefined
  if (index === text.length) return digits > 0 ? 'integer' : undefined
  if (text.charCodeAt(index) === 46) {
    const point = index++
    while (isDigit(text.charCodeAt(index))) index++
    if (digits === 0 && index === point + 1) return undefined
  } else if (digits === 0) return undefined
  if ((text.charCodeAt(index) | 32) === 101) {
    index++
    const sign = text.charCodeAt(index)
    if (sign === 43 || sign === 45) index++
    const exponent = index
    while (isDigit(text.charCodeAt(index))) index++
    if (index === exponent) return undefined
  }
  return index === text.length ? 'number' : undefined
}

function typeOfBoolean(text: string): TypedValue | undefined {
  if (text === 'true' || text === 'True' || text === 'TRUE') return { type: 'boolean', order: 1 }
  if (text === 'false' || text === 'False' || text === 'FALSE') return { type: 'boolean', order: 0 }
  return undefined
}

function typeOfTime(text: string): TypedValue | undefined {
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45 || text.length > 40) return undefined
  const match = dateTime.exec(text)
  if (!match) return undefined
  const [, fraction = '0', offsetHours = '0', offsetMinutes = '0'] = match
  const isDate = text.length === 10
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hour = isDate ? 0 : twoDigits(text, 11)
  const minute = isDate ? 0 : twoDigits(text, 14)
  const second = text.charCodeAt(16) === 58 ? twoDigits(text, 17) : 0
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  // A leap second is written :60.
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const offset = Math.abs(Number(offsetHours)) * 60 + Number(offsetMinutes)
  if (offset >= 24 * 60 || Number(offsetMinutes) > 59) return undefined
  const seconds = (hour * 60 + minute - (offsetHours.startsWith('-') ? -offset : offset)) * 60 + second
  const order = midnight(year, month, day) + (seconds + Number(fraction)) * 1000
  return { type: isDate ? 'date' : 'datetime', order }
}

const twoDigits = (text: string, index: number): number =>
  (text.charCodeAt(index) - zero) * 10 + text.charCodeAt(index + 1) - zero

// Not Date.UTC, which takes the years 0 to 99 for those of the 20th century.
const midnight = (year: number, month: number, day: number): number =>
  new Date(0).setUTCFullYear(year, month - 1, day)

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
