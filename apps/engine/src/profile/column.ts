import type { Column as ColumnProfile } from '@ps/jobs'
import { createExtremes } from './extremes.js'
import { createFrequentValues } from './frequent-values.js'
import type { MemoryBudget } from './memory-budget.js'
import { type TypedValue, type Value, type ValueType, anyString } from './value-types.js'

/**
 * Gathers what a column holds, a value at a time.
 *
 * Its type is that of all its values; integers and numbers together are numbers, any other mixture is strings. Different
 * values are told apart by their text (`1` and `1.0` are two). The range is that of numbers, of dates by time, of strings
 * by code unit. An integer that a double cannot hold is given as the text of its digits.
 */
export interface Column {
  add(value: Value): void
  /** What it holds, given how many rows there were. */
  profile(rows: number): ColumnProfile
}

/** What a column needs to know. */
export interface ColumnOptions {
  readonly name: string
  /** What a value is. Asked again only for values that are not being counted already. */
  typeOf(value: Value): TypedValue
  /** What the values counted may take, together with those of the other columns. */
  readonly memory: MemoryBudget
}

/** Creates a column without values. */
export function createColumn({ name, typeOf, memory }: ColumnOptions): Column {
  const values = createFrequentValues(memory)
  const extremes = createExtremes()
  let type: ColumnProfile['type'] = 'empty'
  let count = 0

  const mean = (): number | null => {
    if (type !== 'integer' && type !== 'number') return null
    const mean = values.sum() / count
    return Number.isFinite(mean) ? mean : null
  }

  return {
    add(value) {
      count++
      if (values.count(value)) return
      const typed = type === 'string' ? anyString : typeOf(value)
      type = type === 'empty' ? typed.type : common(type, typed.type)
      extremes.add(value, typed)
      values.add(value, typed.order)
    },
    profile(rows) {
      const { frequent, distinct, distinctExact, frequentExact } = values.counts()
      return {
        name,
        type,
        count,
        nulls: rows - count,
        distinct,
        distinctExact,
        ...(type === 'empty' ? { min: null, max: null } : extremes.of(type)),
        mean: mean(),
        frequent: frequent.map(({ value, count }) => ({ value: String(value), count })),
        frequentExact,
      }
    },
  }
}

/** The narrowest type that holds values of both types. */
function common(a: ValueType, b: ValueType): ValueType {
  if (a === b) return a
  return (a === 'integer' || a === 'number') && (b === 'integer' || b === 'number') ? 'number' : 'string'
}
