import type { MemoryBudget } from './memory-budget.js'
import { createSum } from './sum.js'
import type { Value } from './value-types.js'

/** What is known about the values counted. */
export interface ValueCounts {
  /** How many different values there are; where not `distinctExact`, there are more than that. */
  readonly distinct: number
  readonly distinctExact: boolean
  /**
   * The most frequent values, the most frequent first. Where not `frequentExact`, each occurs at least `count` times, and
   * a value is listed only when none that is not being counted can be more frequent: the list may be short or empty.
   */
  readonly frequent: readonly { readonly value: Value; readonly count: number }[]
  readonly frequentExact: boolean
}

/** Counts different values in bounded memory. */
export interface FrequentValues {
  /** Counts a value that is being counted already; returns false, and does nothing, where it is not. */
  count(value: Value): boolean
  /** Counts a value for which `count` returned false, and keeps a number for it. */
  add(value: Value, number: number): void
  /** The sum of the numbers of all values counted, each as often as it occurred. */
  sum(): number
  /** What is known so far. */
  counts(): ValueCounts
}

// How many different values are told apart before it is just "more than".
const maximumValues = 10_000
// How many are counted from then on. They must fit the processor's cache: with 10,000 of them, files whose values are all
// different take a quarter longer (measured on five such columns).
const maximumFrequentValues = 4_096
const fewValues = 64
const maximumBytes = 4 * 1024 * 1024
// Node 20 takes about 150 bytes for an entry of a Map, its object and the head of a string (measured with 500,000 of
// them), and at most two bytes a character.
const entryBytes = 100
const listed = 5

/**
 * Counts exactly up to 10,000 different values or 4 MiB, or as far as `memory` goes. From then on it keeps the frequent
 * ones after Misra and Gries: when it is full, everything is lowered by the median, and what falls to zero is forgotten.
 * So no value has occurred more often without being counted than everything was lowered in all.
 */
export function createFrequentValues(memory: MemoryBudget): FrequentValues {
  // Of every value the place of its numbers below: an object for each would take twice the memory.
  const places = new Map<Value, number>()
  /** How often it has occurred since it is counted. */
  let counts: number[] = []
  /** How often it may have occurred before, at most. */
  let missed: number[] = []
  let numbers: number[] = []
  const sumOfForgotten = createSum()
  let bytes = 0
  let exactDistinct: number | undefined
  let lowered = 0

  const countAt = (place: number): number => counts[place] ?? 0
  const numberAt = (place: number): number => numbers[place] ?? 0
  const missedAt = (place: number): number => missed[place] ?? 0
  // The counts themselves stay as they are when everything is lowered, since what was counted did occur.
  const heightAt = (place: number): number => countAt(place) + missedAt(place) - lowered

  const put = (value: Value, count: number, missing: number, number: number): void => {
    places.set(value, counts.length)
    counts.push(count)
    missed.push(missing)
    numbers.push(number)
  }

  const makeRoom = (): void => {
    exactDistinct ??= places.size
    const heights = Float64Array.from(counts, (_, place) => heightAt(place)).toSorted()
    const { length } = heights
    // The median of a few would be the end of values that are frequent indeed.
    const rank = length < fewValues ? 0 : Math.max(length >> 1, length - maximumFrequentValues / 2)
    lowered += heights[rank] ?? 0
    const kept: [Value, number, number, number][] = []
    for (const [value, place] of places) {
      if (heightAt(place) > 0) kept.push([value, countAt(place), missedAt(place), numberAt(place)])
      else {
        sumOfForgotten.add(countAt(place) * numberAt(place))
        bytes -= sizeOf(value)
        memory.give(sizeOf(value))
      }
    }
    // Most are forgotten, so that beginning anew is faster than deleting them.
    places.clear()
    counts = []
    missed = []
    numbers = []
    for (const entry of kept) put(...entry)
  }

  const takeRoom = (size: number): boolean => {
    const maximum = exactDistinct === undefined ? maximumValues : maximumFrequentValues
    if (places.size >= maximum || bytes + size > maximumBytes || !memory.take(size)) return false
    bytes += size
    return true
  }

  return {
    count(value) {
      const place = places.get(value)
      if (place === undefined) return false
      counts[place] = countAt(place) + 1
      return true
    },
    add(value, number) {
      const size = sizeOf(value)
      if (!takeRoom(size)) {
        makeRoom()
        if (!takeRoom(size)) {
          // One occurrence more that any value may have had without being counted.
          lowered++
          sumOfForgotten.add(number)
          return
        }
      }
      put(value, 1, lowered, number)
    },
    sum() {
      const sum = createSum(sumOfForgotten.total())
      for (const place of places.values()) sum.add(countAt(place) * numberAt(place))
      return sum.total()
    },
    counts() {
      const exact = exactDistinct === undefined
      const frequent = [...places]
        .map(([value, place]) => ({ value, count: countAt(place) }))
        .filter(({ count }) => count > lowered)
        .toSorted((a, b) => b.count - a.count)
        .slice(0, listed)
      return { distinct: exactDistinct ?? places.size, distinctExact: exact, frequent, frequentExact: exact }
    },
  }
}

const sizeOf = (value: Value): number => entryBytes + (typeof value === 'string' ? 2 * value.length : 0)
