import type { Column } from '@ps/jobs'
import type { TypedValue, Value, ValueType } from './value-types.js'

/** The smallest and the largest of many values, whatever type they turn out to have together. */
export interface Extremes {
  /** Takes another value. */
  add(value: Value, typed: TypedValue): void
  /** The smallest and the largest as values of the type; `null` where there are none. */
  of(type: ValueType): { min: Extreme; max: Extreme }
}

/**
 * The end of a range. A number for numbers, except for an integer that a double cannot hold: that is the text of its
 * digits. `true` or `false` for booleans. The text as it stands in the input for the other types.
 */
export type Extreme = Column['min']

interface Ordered {
  readonly order: number
  readonly text: string
  readonly type: ValueType
}

// Longer strings are compared, and kept, up to here.
const maximumCharacters = 1_000

/** Creates the extremes of no values. */
export function createExtremes(): Extremes {
  // Both orders are kept because a later value may turn a column of numbers into one of strings.
  let first: string | undefined
  let last: string | undefined
  let smallest: Ordered | undefined
  let largest: Ordered | undefined

  return {
    add(value, { type, order }) {
      const text = typeof value === 'string' ? value : String(value)
      if (first === undefined || text < first) first = bounded(text)
      if (last === undefined || text > last) last = bounded(text)
      if (type === 'string') return
      if (smallest === undefined || order <= smallest.order) {
        const ordered = { order, text, type }
        if (smallest === undefined || isLess(ordered, smallest)) smallest = ordered
      }
      if (largest === undefined || order >= largest.order) {
        const ordered = { order, text, type }
        if (largest === undefined || isLess(largest, ordered)) largest = ordered
      }
    },
    of(type) {
      if (type === 'string') return { min: first ?? null, max: last ?? null }
      return { min: present(smallest), max: present(largest) }
    },
  }
}

function isLess(a: Ordered, b: Ordered): boolean {
  if (a.order !== b.order) return a.order < b.order
  // Different large integers may be the same double.
  return isLargeInteger(a) && isLargeInteger(b) && BigInt(a.text) < BigInt(b.text)
}

const isLargeInteger = ({ type, order }: Ordered): boolean =>
  type === 'integer' && !Number.isSafeInteger(order)

function present(ordered: Ordered | undefined): Extreme {
  if (ordered === undefined) return null
  const { type, order, text } = ordered
  if (type === 'boolean') return order === 1
  if (type === 'date' || type === 'datetime') return text.trim()
  // Adding 0 turns -0 into 0.
  return isLargeInteger(ordered) ? text.trim() : order + 0
}

/** A copy, because a slice of a string keeps all of the string in memory. */
function bounded(text: string): string {
  if (text.length <= maximumCharacters) return text
  return Buffer.from(text.slice(0, maximumCharacters), 'utf16le').toString('utf16le')
}
