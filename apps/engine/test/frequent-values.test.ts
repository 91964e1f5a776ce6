import { describe, expect, it } from 'vitest'
import { createFrequentValues } from '../src/profile/frequent-values.js'
import { createMemoryBudget } from '../src/profile/memory-budget.js'
import type { Value } from '../src/profile/value-types.js'

const plenty = 1024 * 1024 * 1024

function countAll(values: Iterable<Value>, memory = createMemoryBudget(plenty)) {
  const frequent = createFrequentValues(memory)
  for (const value of values) if (!frequent.count(value)) frequent.add(value, Number(value))
  return frequent
}

function* numbersTo(end: number, times = 1): Generator<string> {
  for (let time = 0; time < times; time++) for (let number = 1; number <= end; number++) yield String(number)
}

describe('counted values', () => {
  it('are exact up to 10,000 different ones', () => {
    expect(countAll([...numbersTo(10_000), '7', '8', '7']).counts()).toEqual({
      distinct: 10_000,
      distinctExact: true,
      frequent: [
        { value: '7', count: 3 },
        { value: '8', count: 2 },
        { value: '1', count: 1 },
        { value: '2', count: 1 },
        { value: '3', count: 1 },
      ],
      frequentExact: true,
    })
  })

  it('are more than 10,000 from one more on', () => {
    expect(countAll(numbersTo(10_001)).counts()).toEqual({
      distinct: 10_000,
      distinctExact: false,
      frequent: [],
      frequentExact: false,
    })
  })

  it('that are frequent are found among a million rare ones, wherever they stand', () => {
    const values = function* (): Generator<string> {
      for (let number = 0; number < 1_000_000; number++) {
        yield String(number)
        if (number % 10 === 0) yield 'often'
        if (number % 20 === 0 && number > 500_000) yield 'late'
      }
    }
    const { frequent, frequentExact } = countAll(values()).counts()
    expect(frequentExact).toBe(false)
    expect(frequent.map(({ value }) => value)).toEqual(['often', 'late'])
    const [often, late] = frequent
    expect(often?.count).toBe(100_000)
    // A count is what was seen for certain, so never too high.
    expect(late?.count).toBeLessThanOrEqual(25_000)
    expect(late?.count).toBeGreaterThan(24_000)
  })

  it('are none that only look frequent', () => {
    // Each of 20,000 values occurs 10 times, in rounds: none stands out.
    expect(countAll(numbersTo(20_000, 10)).counts().frequent).toEqual([])
  })

  it('add up exactly, however many have been forgotten', () => {
    expect(countAll(numbersTo(100_000, 3)).sum()).toBe(15_000_150_000)
  })

  it('take no more than 4 MiB', () => {
    const long = (number: number) => String(number).padStart(100_000, 'x')
    const { distinct, distinctExact } = countAll(
      Array.from({ length: 100 }, (_, number) => long(number)),
    ).counts()
    expect(distinctExact).toBe(false)
    expect(distinct).toBe(20)
  })

  it('share their memory, and give it back', () => {
    const memory = createMemoryBudget(500_000)
    expect(countAll(numbersTo(9_000), memory).counts().distinctExact).toBe(false)
    expect(memory.take(200_000)).toBe(true)
    memory.give(200_000)
    const used = 500_000 - leftOf(memory)
    expect(used).toBeGreaterThan(0)
  })

  it('are counted as uncounted where there is no memory at all', () => {
    const frequent = countAll(['1', '2', '2', '3'], createMemoryBudget(0))
    expect(frequent.counts()).toEqual({
      distinct: 0,
      distinctExact: false,
      frequent: [],
      frequentExact: false,
    })
    expect(frequent.sum()).toBe(8)
  })
})

function leftOf(memory: ReturnType<typeof createMemoryBudget>): number {
  let left = 0
  for (let step = 2 ** 20; step >= 1; step /= 2) {
    while (memory.take(step)) left += step
  }
  return left
}
